//! What can go wrong with the portal on demand.

use std::collections::BTreeSet;

use serde::Deserialize;
use tokio::sync::watch;

/// A fault. All but the bad certificate sit in the search for files: the rest of the portal goes on working, as it would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The search takes [`super::clock::SLOW`] longer.
    Slow,
    /// The search answers with status 500 and the portal's error page.
    ServerError,
    /// The search form has no button.
    ElementMissing,
    /// The search never answers.
    NeverEnds,
    /// A JavaScript error before the form is wired: its button does nothing.
    ScriptError,
    /// The whole portal is only to be had behind a certificate that nobody trusts and that has expired.
    BadCertificate,
    /// The search answers 200 with nothing.
    BlankPage,
}

/// Whether a fault is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl Fault {
    /// All of them, in the order of the desk.
    pub const ALL: [Self; 7] = [
        Self::ServerError,
        Self::Slow,
        Self::NeverEnds,
        Self::BlankPage,
        Self::ElementMissing,
        Self::ScriptError,
        Self::BadCertificate,
    ];

    /// Its name in addresses and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::ServerError => "server-error",
            Self::ElementMissing => "element-missing",
            Self::NeverEnds => "never-ends",
            Self::ScriptError => "script-error",
            Self::BadCertificate => "bad-certificate",
            Self::BlankPage => "blank-page",
        }
    }

    /// The fault with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// What the desk calls it.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Slow => "Búsqueda lenta",
            Self::ServerError => "Error 500",
            Self::ElementMissing => "Falta un elemento",
            Self::NeverEnds => "No responde nunca",
            Self::ScriptError => "Error de JavaScript",
            Self::BadCertificate => "Certificado inválido",
            Self::BlankPage => "Página en blanco",
        }
    }

    /// What the desk says about it.
    pub(super) const fn explanation(self) -> &'static str {
        match self {
            Self::Slow => "La búsqueda de expedientes tarda 4 segundos más de lo normal.",
            Self::ServerError => {
                "La búsqueda de expedientes termina en la página de error del portal."
            }
            Self::ElementMissing => {
                "El formulario de búsqueda aparece sin el botón «Buscar expediente»."
            }
            Self::NeverEnds => {
                "La búsqueda de expedientes queda cargando hasta que se apague esta falla."
            }
            Self::ScriptError => {
                "Un error en la página de búsqueda: el botón está, pero no hace nada."
            }
            Self::BadCertificate => {
                "Todo el portal pasa a una dirección cuyo certificado venció y no es de confianza."
            }
            Self::BlankPage => "La búsqueda de expedientes responde bien, con una página vacía.",
        }
    }
}

/// The faults that are there now, shared by the portal, its desk and its owner.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(watch::Sender<BTreeSet<Fault>>);

impl Faults {
    pub(super) fn set(&self, fault: Fault, switch: Switch) {
        self.0.send_modify(|faults| {
            match switch {
                Switch::On => faults.insert(fault),
                Switch::Off => faults.remove(&fault),
            };
        });
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.0.borrow().contains(&fault)
    }

    /// How many requests wait for a fault to be gone.
    pub(super) fn held_up(&self) -> usize {
        self.0.receiver_count()
    }

    /// Completes when the fault is gone, at once where it is not there.
    pub(super) async fn gone(&self, fault: Fault) {
        let gone = self
            .0
            .subscribe()
            .wait_for(|faults| !faults.contains(&fault))
            .await
            .is_ok();
        debug_assert!(gone, "the sender is borrowed here, it cannot be closed");
    }
}
