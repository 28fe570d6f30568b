//! "Servers and services": what the systems stand on, from Telegraf's own inputs as `telegraf.d/` sets them up.

use serde_json::json;

use super::{
    Dashboard, about,
    panel::Panel,
    states,
    table::{self, column},
    text::say,
    variables::{self, Choice},
};

const CHOSEN: &str = "r.host =~ /^${host:regex}$/";
const HOST: &str = "${__field.labels.host}";

pub fn dashboard() -> Dashboard {
    Dashboard {
        uid: "vigia-servers",
        title: say("Servers and services", "Servidores y servicios"),
        description: say(
            "What the systems stand on: servers, services, ports, addresses and certificates, and the systems beside them.",
            "Sobre qué se apoyan los sistemas: servidores, servicios, puertos, direcciones y certificados, y los sistemas junto a ellos.",
        ),
        looks_back: "6h",
        variables: vec![
            variables::data_source(),
            variables::tag(
                "host",
                &say("Host", "Equipo"),
                "r._measurement == \"system\" or r._measurement == \"http_response\" or r._measurement == \"net_response\" or r._measurement == \"dns_query\" or r._measurement == \"ping\" or r._measurement == \"x509_cert\"",
                Choice::Several,
            ),
            variables::silent_after(),
        ],
        incidents: None,
        panels: panels(),
    }
}

fn panels() -> Vec<Panel> {
    let lines = |title, description, query: &str, name: &str| {
        Panel::lines(&title, &description, &[about(query, CHOSEN)], name)
            .nothing(&say("No data", "Sin datos"))
            .size(12, 8)
    };
    vec![
        services(CHOSEN),
        systems_on_servers(),
        open_incidents(),
        servers(CHOSEN),
        certificates(CHOSEN),
        units(),
        services_over_time(),
        lines(
            say("Processors", "Procesadores"),
            say(
                "How busy they were, the mean in each interval.",
                "Cuán ocupados estuvieron, la media en cada intervalo.",
            ),
            include_str!("queries/cpu.flux"),
            HOST,
        )
        .unit("percent")
        .up_to(100.0),
        lines(
            say("Memory", "Memoria"),
            say(
                "What is not available to programs, the mean in each interval.",
                "La que no está disponible para los programas, la media en cada intervalo.",
            ),
            include_str!("queries/memory.flux"),
            HOST,
        )
        .unit("percent")
        .up_to(100.0),
        lines(
            say("Disks", "Discos"),
            say(
                "How full each mount point is.",
                "Cuán lleno está cada punto de montaje.",
            ),
            include_str!("queries/disks.flux"),
            "${__field.labels.host} ${__field.labels.path}",
        )
        .unit("percent")
        .up_to(100.0),
        lines(
            say("Disk traffic", "Tráfico de discos"),
            say(
                "Read and written per second.",
                "Leído y escrito por segundo.",
            ),
            include_str!("queries/disk-traffic.flux"),
            "${__field.labels.host} ${__field.labels.name} ${__field.name}",
        )
        .unit("Bps"),
        lines(
            say("Network", "Red"),
            say(
                "Received and sent per second.",
                "Recibido y enviado por segundo.",
            ),
            include_str!("queries/network.flux"),
            "${__field.labels.host} ${__field.labels.interface} ${__field.name}",
        )
        .unit("Bps")
        .size(24, 8),
    ]
}

/// What systems ask of the network, of what is chosen.
pub fn services(chosen: &str) -> Panel {
    let kinds = states::values(&[
        ("http_response", say("Address", "Dirección"), "text"),
        ("net_response", say("Port", "Puerto"), "text"),
        ("dns_query", say("Name", "Nombre"), "text"),
        ("ping", say("Machine", "Máquina"), "text"),
    ]);
    let unknown = states::values(&[("-1", json!("–"), "text")]);
    Panel::table(
        &say("Services", "Servicios"),
        &say(
            "Addresses, ports, names and machines that telegraf.d/vigia-services.conf asks, what does not answer first, with the systems that need them.",
            "Direcciones, puertos, nombres y máquinas que consulta telegraf.d/vigia-services.conf, primero lo que no responde, con los sistemas que los necesitan.",
        ),
        about(include_str!("queries/services.flux"), chosen),
        &[
            table::state(),
            column("kind", &say("Kind", "Tipo")).with("mappings", kinds).width(110),
            column("service", &say("Service", "Servicio")),
            column("systems", &say("Systems", "Sistemas")).width(200),
            table::milliseconds("took_ms", &say("Took", "Tardó")).with("mappings", unknown),
            table::age("last_heard", &say("Last answer", "Última respuesta")),
            column("host", &say("Asked from", "Consultado desde")).width(150),
        ],
    )
    .nothing(&say("No services are asked", "No se consulta ningún servicio"))
    .size(16, 9)
}

fn open_incidents() -> Panel {
    let incidents = about(
        include_str!("queries/open-incidents.flux"),
        "r.probe =~ /^${host:regex}$/",
    );
    Panel::table(
        &say("Open incidents of servers and services", "Incidentes abiertos de servidores y servicios"),
        &say(
            "What the shipped rules of vigia-alert found on these hosts, and what the monitoring itself suffers.",
            "Lo que las reglas de vigia-alert encontraron en estos equipos, y lo que sufre el propio monitoreo.",
        ),
        // No run of a robot is behind these.
        incidents + "\n  |> drop(columns: [\"artifact\"])",
        &[
            table::impact(),
            column("probe", &say("Host", "Equipo")).width(150),
            column("journey", &say("What", "Qué")).width(200),
            table::reason(),
            table::moment("began", &say("Since", "Desde")),
            table::error(),
            column("system", &say("System", "Sistema")).width(150),
            table::failed_step(),
            table::picture(),
        ],
    )
    .nothing(&say("No open incident", "Ningún incidente abierto"))
    .size(24, 6)
}

fn systems_on_servers() -> Panel {
    Panel::table(
        &say("Systems on these servers", "Sistemas en estos servidores"),
        &say(
            "The worst of each system's journeys, beside the server that names it in VIGIA_SYSTEMS.",
            "El peor de los recorridos de cada sistema, junto al servidor que lo nombra en VIGIA_SYSTEMS.",
        ),
        about(include_str!("queries/systems-on-servers.flux"), CHOSEN),
        &[
            table::state(),
            table::system(),
            column("host", &say("Server", "Servidor")),
        ],
    )
    .nothing(&say("No server names a system", "Ningún servidor nombra un sistema"))
    .size(8, 9)
}

/// The servers of what is chosen.
pub fn servers(chosen: &str) -> Panel {
    let percent = |name, heading, orange: f64, red: f64| {
        column(name, &heading)
            .unit("percent")
            .decimals(0)
            .width(100)
            .filled(&[
                (None, "transparent"),
                (Some(orange), "orange"),
                (Some(red), "red"),
            ])
    };
    Panel::table(
        &say("Servers", "Servidores"),
        &say(
            "The last values in the time range. Fullest disk: of its mount points. Load: processes that want to run, over five minutes; more than it has processors is a queue.",
            "Los últimos valores del intervalo. Disco más lleno: de sus puntos de montaje. Carga: procesos que quieren correr, en cinco minutos; más que sus procesadores es una cola.",
        ),
        about(include_str!("queries/servers.flux"), chosen),
        &[
            column("host", &say("Server", "Servidor")).width(160),
            column("systems", &say("Systems", "Sistemas")),
            percent("cpu", say("Processors", "Procesadores"), 80.0, 95.0),
            column("memory_left", &say("Memory left", "Memoria libre"))
                .unit("percent")
                .decimals(0)
                .width(110)
                .filled(&[(None, "red"), (Some(5.0), "orange"), (Some(15.0), "transparent")]),
            percent("swap", say("Swap", "Intercambio"), 50.0, 90.0),
            percent("disk", say("Fullest disk", "Disco más lleno"), 80.0, 90.0),
            column("load5", &say("Load", "Carga")).decimals(1).width(80),
            table::count("processors", &say("Processors", "Procesadores")),
            column("uptime_s", &say("Up for", "Encendido hace")).unit("dtdurations").width(130),
            table::age("last_heard", &say("Last heard", "Última señal")),
        ],
    )
    .nothing(&say("No servers", "Ningún servidor"))
    .size(24, 7)
}

/// The certificates of what is chosen.
pub fn certificates(chosen: &str) -> Panel {
    let verified = states::values(&[
        ("0", say("Valid", "Válido"), "green"),
        ("1", say("Invalid", "Inválido"), "red"),
    ]);
    Panel::table(
        &say("Certificates", "Certificados"),
        &say(
            "What ends soonest comes first.",
            "El que termina antes va primero.",
        ),
        about(include_str!("queries/certificates.flux"), chosen),
        &[
            column("state", &say("State", "Estado")).state(verified),
            column("source", &say("Address", "Dirección")),
            column("left_s", &say("Ends in", "Termina en"))
                .unit("dtdurations")
                .width(150)
                .filled(&[
                    (None, "red"),
                    (Some(7.0 * 86_400.0), "orange"),
                    (Some(30.0 * 86_400.0), "transparent"),
                ]),
            table::moment("ends", &say("Ends", "Termina")),
            column("systems", &say("Systems", "Sistemas")).width(200),
            table::age("last_heard", &say("Last answer", "Última respuesta")),
            column("host", &say("Asked from", "Consultado desde")).width(150),
        ],
    )
    .nothing(&say(
        "No certificates are asked",
        "No se consulta ningún certificado",
    ))
    .size(16, 7)
}

fn units() -> Panel {
    let kinds = states::values(&[
        ("unit", say("Service", "Servicio"), "text"),
        ("program", say("Program", "Programa"), "text"),
    ]);
    Panel::table(
        &say("Not running", "No están corriendo"),
        &say(
            "Services that systemd calls failed, and programs of telegraf.d/vigia-servers.conf that do not run.",
            "Servicios que systemd da por fallidos, y programas de telegraf.d/vigia-servers.conf que no corren.",
        ),
        about(include_str!("queries/units.flux"), CHOSEN),
        &[
            column("host", &say("Server", "Servidor")).width(130),
            column("kind", &say("Kind", "Tipo")).with("mappings", kinds).width(100),
            column("name", &say("Name", "Nombre")),
            table::age("last_heard", &say("Last heard", "Última señal")),
        ],
    )
    .nothing(&say("Nothing is down", "Nada está caído"))
    .size(8, 7)
}

fn services_over_time() -> Panel {
    let states = states::values(&[
        ("0", say("OK", "Bien"), "green"),
        ("1", say("Failed", "Falla"), "red"),
    ]);
    Panel::timeline(
        &say("Services over time", "Servicios en el tiempo"),
        &say(
            "In each interval the worst answer. A service that is no longer asked keeps its last state here: see the age of its answer above.",
            "En cada intervalo la peor respuesta. Un servicio que ya no se consulta conserva aquí su último estado: véase arriba la antigüedad de su respuesta.",
        ),
        about(include_str!("queries/services-over-time.flux"), CHOSEN),
        "${__field.labels.service}",
    )
    .mappings(states)
    .nothing(&say("No services are asked", "No se consulta ningún servicio"))
    .size(24, 8)
}
