//! Matrix through a real homeserver: what a person in the room is given.

use vigia_alert::{
    deliver::{Attempt, Channel, Outgoing},
    flux::picture::Picture,
    render::{Illustration, Language},
    store::outbox::{Delivery, Kind},
};
use vigia_testbed::servers::{Program, Synapse, requires};

use super::{
    conformance::{accepted, configured, page},
    messages::{delivery, render_as},
};

/// More than the server takes at once.
const TOO_MANY: usize = 40;

struct Room {
    channel: Channel,
    id: String,
}

impl Room {
    /// Does this with a message as the courier would have it.
    async fn bring(
        &self,
        delivery: &Delivery,
        pictures: &[Picture],
        bring: impl AsyncFnOnce(&Outgoing<'_>) -> Attempt,
    ) -> Attempt {
        let abilities = self.channel.abilities();
        let layout = abilities.layout(Illustration::Later);
        let message = render_as(Language::Spanish, delivery, layout);
        let outgoing = Outgoing {
            id: &delivery.id,
            conversation: &delivery.conversation.id,
            kind: delivery.kind,
            is_repeat: false,
            recipient: &self.id,
            impact: delivery.conversation.lead().impact,
            message: &message,
            pictures,
            thread: delivery.thread.as_deref(),
        };
        bring(&outgoing).await
    }

    async fn send(&self, delivery: &Delivery) -> Attempt {
        self.bring(delivery, &[], async |outgoing| {
            self.channel.send(outgoing).await
        })
        .await
    }
}

#[tokio::test]
async fn a_homeserver_shows_messages_and_pictures_in_one_thread_and_each_once() {
    if !requires(&[Program::Synapse]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let synapse = Synapse::start(&folder.path().join("synapse"))
        .await
        .unwrap();
    let lines = format!(
        r#"matrix = {{ server = "{}", token = "${{secret:TOKEN}}", to = ["{}"] }}"#,
        synapse.url(),
        synapse.room()
    );
    let room = Room {
        channel: configured(&lines, &[("TOKEN", synapse.token())], &folder),
        id: synapse.room().to_owned(),
    };

    let opened = delivery(Kind::Opened);
    let receipt = accepted(room.send(&opened).await);
    // As after an answer that was lost.
    assert_eq!(accepted(room.send(&opened).await), receipt);
    let pages = [page()];
    let illustrated = room.bring(&opened, &pages, async |outgoing| {
        room.channel.illustrate(outgoing, &receipt).await
    });
    accepted(illustrated.await);
    let mut closed = delivery(Kind::Closed);
    closed.thread.clone_from(&receipt.thread);
    accepted(room.send(&closed).await);

    let messages = synapse.messages().await.unwrap();
    let contents: Vec<_> = messages.iter().map(|message| &message["content"]).collect();
    let kinds: Vec<_> = contents
        .iter()
        .map(|content| content["msgtype"].as_str())
        .collect();
    assert_eq!(kinds, [Some("m.text"), Some("m.image"), Some("m.text")]);
    let first = &messages[0]["event_id"];
    assert_eq!(first.as_str(), receipt.thread.as_deref());
    let threads = [1, 2].map(|number| &contents[number]["m.relates_to"]["event_id"]);
    assert_eq!(threads, [first, first]);
    let page_address = contents[1]["url"].as_str().unwrap();
    assert_eq!(synapse.download(page_address).await.unwrap(), page().bytes);
    let info = &contents[1]["info"];
    assert_eq!((&info["w"], &info["h"]), (&40.into(), &30.into()), "{info}");
    let html = contents[0]["formatted_body"].as_str().unwrap();
    assert!(
        html.contains("<strong>CRÍTICO · Trámites</strong>"),
        "{html}"
    );

    let mut refused = None;
    for number in 0..TOO_MANY {
        let mut more = delivery(Kind::Reminder);
        more.id = format!("more-{number}");
        match room.send(&more).await {
            Attempt::Accepted(_) => {}
            other => {
                refused = Some(other);
                break;
            }
        }
    }
    let Some(Attempt::Failed {
        retry_after: Some(rest),
        ..
    }) = refused
    else {
        panic!("{refused:?}");
    };
    assert!(rest.as_secs() < 60, "{rest:?}");

    synapse.revoke().await.unwrap();
    let attempt = room.send(&delivery(Kind::Opened)).await;
    assert!(matches!(attempt, Attempt::Refused(_)), "{attempt:?}");
}
