//! What the protocol wants to be told of a mouse and a keyboard.

use headless_chrome::protocol::cdp::Input;

use crate::journey::Key;

/// A mouse event at a point of the window, in CSS pixels.
pub fn mouse(
    kind: Input::DispatchMouseEventTypeOption,
    x: f64,
    y: f64,
) -> Input::DispatchMouseEvent {
    let button = match kind {
        Input::DispatchMouseEventTypeOption::MouseMoved => Input::MouseButton::None,
        _ => Input::MouseButton::Left,
    };
    Input::DispatchMouseEvent {
        Type: kind,
        x,
        y,
        modifiers: None,
        timestamp: None,
        button: Some(button),
        buttons: None,
        click_count: Some(1),
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

/// A key going down or up.
pub fn keyboard(kind: Input::DispatchKeyEventTypeOption, key: &Key) -> Input::DispatchKeyEvent {
    let types = matches!(kind, Input::DispatchKeyEventTypeOption::KeyDown);
    Input::DispatchKeyEvent {
        Type: kind,
        modifiers: Some(key.modifiers()),
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
