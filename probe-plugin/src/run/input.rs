//! What the protocol wants to be told of a mouse and a keyboard.

use headless_chrome::protocol::cdp::{Input, types::Method};
use serde::Serialize;
use serde_json::Value;

use crate::journey::{Button, Distance, Key, Modifier};

/// A point of the window, in CSS pixels.
pub type Point = (f64, f64);

/// The buttons and keys that are held while the mouse does something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    /// The bits of `modifiers`.
    pub modifiers: u32,
    /// Which button presses.
    pub button: Button,
}

impl Held {
    /// Source: the protocol's `Input.dispatchMouseEvent`, `modifiers`.
    pub fn new(modifiers: &[Modifier], button: Button) -> Self {
        let bits = modifiers.iter().map(|modifier| match modifier {
            Modifier::Alt => 1,
            Modifier::Control => 2,
            Modifier::Meta => 4,
            Modifier::Shift => 8,
        });
        Self {
            modifiers: bits.fold(0, |all, bit| all | bit),
            button,
        }
    }

    /// With more keys, told by the same bits.
    pub const fn and(self, keys: u32) -> Self {
        Self {
            modifiers: self.modifiers | keys,
            ..self
        }
    }

    /// The mouse comes to a point, with no button down.
    pub fn come(self, to: Point) -> Input::DispatchMouseEvent {
        let moved = Input::DispatchMouseEventTypeOption::MouseMoved;
        self.event(moved, to, Input::MouseButton::None, 0)
    }

    /// It moves with the button down.
    pub fn pull(self, to: Point) -> Input::DispatchMouseEvent {
        let moved = Input::DispatchMouseEventTypeOption::MouseMoved;
        Input::DispatchMouseEvent {
            buttons: Some(1),
            ..self.event(moved, to, self.protocol_button(), 0)
        }
    }

    /// The button goes down, for the `count`th time in a row.
    pub fn press(self, at: Point, count: u32) -> Input::DispatchMouseEvent {
        let pressed = Input::DispatchMouseEventTypeOption::MousePressed;
        self.event(pressed, at, self.protocol_button(), count)
    }

    /// The button goes up.
    pub fn release(self, at: Point, count: u32) -> Input::DispatchMouseEvent {
        let released = Input::DispatchMouseEventTypeOption::MouseReleased;
        self.event(released, at, self.protocol_button(), count)
    }

    /// The wheel turns.
    pub fn turn(self, at: Point, by: Distance) -> Input::DispatchMouseEvent {
        let wheel = Input::DispatchMouseEventTypeOption::MouseWheel;
        Input::DispatchMouseEvent {
            delta_x: Some(by.x),
            delta_y: Some(by.y),
            ..self.event(wheel, at, Input::MouseButton::None, 0)
        }
    }

    const fn protocol_button(self) -> Input::MouseButton {
        match self.button {
            Button::Left => Input::MouseButton::Left,
            Button::Middle => Input::MouseButton::Middle,
            Button::Right => Input::MouseButton::Right,
            Button::Back => Input::MouseButton::Back,
            Button::Forward => Input::MouseButton::Forward,
        }
    }

    fn event(
        self,
        kind: Input::DispatchMouseEventTypeOption,
        (x, y): Point,
        button: Input::MouseButton,
        count: u32,
    ) -> Input::DispatchMouseEvent {
        Input::DispatchMouseEvent {
            Type: kind,
            x,
            y,
            modifiers: Some(self.modifiers),
            timestamp: None,
            button: Some(button),
            buttons: None,
            click_count: Some(count),
            force: None,
            tangential_pressure: None,
            tilt_x: None,
            tilt_y: None,
            twist: None,
            delta_x: None,
            delta_y: None,
            pointer_Type: None,
        }
    }
}

/// `Input.dispatchDragEvent`, with the data as the browser gave it: a kind of it that is newer than the crate goes through.
#[derive(Debug, Serialize)]
pub struct DragEvent<'a> {
    r#type: &'static str,
    x: f64,
    y: f64,
    data: &'a Value,
}

impl Method for DragEvent<'_> {
    const NAME: &'static str = "Input.dispatchDragEvent";
    type ReturnObject = Value;
}

impl<'a> DragEvent<'a> {
    /// `dragEnter`, `dragOver` or `drop`.
    pub const fn new(r#type: &'static str, (x, y): Point, data: &'a Value) -> Self {
        Self { r#type, x, y, data }
    }
}

/// A key going down or up, with others that are held down besides its own.
pub fn keyboard(
    kind: Input::DispatchKeyEventTypeOption,
    key: &Key,
    held: u32,
) -> Input::DispatchKeyEvent {
    let types = matches!(kind, Input::DispatchKeyEventTypeOption::KeyDown);
    Input::DispatchKeyEvent {
        Type: kind,
        modifiers: Some(key.modifiers() | held),
        timestamp: None,
        text: key.text.clone().filter(|_| types),
        unmodified_text: None,
        key_identifier: None,
        code: Some(key.code.clone()),
        key: Some(key.name.clone()),
        windows_virtual_key_code: Some(key.virtual_code),
        native_virtual_key_code: None,
        auto_repeat: None,
        is_keypad: None,
        is_system_key: None,
        // Only these are twice on the keyboard.
        location: matches!(
            key.code.as_str(),
            "AltLeft" | "ControlLeft" | "MetaLeft" | "ShiftLeft"
        )
        .then_some(1),
        commands: None,
    }
}
