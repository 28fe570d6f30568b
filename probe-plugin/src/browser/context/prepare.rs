//! What every new session is told before anything runs in it.

use headless_chrome::protocol::cdp::{Emulation, Network, Page as PageDomain, Runtime, Target};

use super::send;
use crate::browser::{
    SessionId,
    connection::Connection,
    frames::WORLD,
    script::{First, Install},
    vitals::TELL,
};

/// Everything that a session needs, written at once. Until the last message it waits for us, so that nothing of it is
/// missed. `testbed/benchmark/floor.mjs` tells its sessions the same.
pub fn prepare(connection: &Connection, session: &SessionId, first: First) {
    send(
        connection,
        session,
        &PageDomain::Enable {
            enable_file_chooser_opened_event: None,
        },
    );
    send(connection, session, &network_enable());
    send(connection, session, &Runtime::Enable(None));
    send(
        connection,
        session,
        &Emulation::SetFocusEmulationEnabled { enabled: true },
    );
    send(
        connection,
        session,
        &Runtime::AddBinding {
            name: TELL.into(),
            execution_context_id: None,
            execution_context_name: Some(WORLD.into()),
        },
    );
    send(connection, session, &Install::new(first));
    // Frames of other sites, which have processes of their own.
    send(connection, session, &attach_to("iframe"));
    send(connection, session, &Runtime::RunIfWaitingForDebugger(None));
}

/// Attaches to every new target of a type before anything runs in it.
pub fn attach_to(r#type: &str) -> Target::SetAutoAttach {
    Target::SetAutoAttach {
        auto_attach: true,
        wait_for_debugger_on_start: true,
        flatten: Some(true),
        filter: Some(vec![Target::FilterEntry {
            exclude: None,
            Type: Some(r#type.into()),
        }]),
    }
}

/// Bodies are not read, so none need be kept.
fn network_enable() -> Network::Enable {
    Network::Enable {
        max_total_buffer_size: Some(0),
        max_resource_buffer_size: Some(0),
        max_post_data_size: Some(0),
        report_direct_socket_traffic: None,
        enable_durable_messages: None,
    }
}
