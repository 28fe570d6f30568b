//! What a demo leaves to be looked at: the mails, their pictures as PNG, the points that were written.

use std::{fs, io::Cursor, path::Path};

use anyhow::{Context, Result};
use image::ImageFormat;

use super::parts::Parts;

/// Leaves `mails/NN.eml`, `mails/NN-M.png` and `points.influx`, the oldest mail first.
pub fn leave(parts: &Parts, folder: &Path) -> Result<()> {
    let mails = folder.join("mails");
    fs::create_dir_all(&mails)
        .with_context(|| format!("failed to create `{}`", mails.display()))?;
    for (index, mail) in parts.mail.mailbox().mails()?.iter().rev().enumerate() {
        let number = index + 1;
        write(&mails.join(format!("{number:02}.eml")), &mail.raw)?;
        for (index, picture) in mail.pictures.iter().enumerate() {
            let png = to_png(&picture.bytes)
                .with_context(|| format!("failed to read a picture of mail {number}"))?;
            write(&mails.join(format!("{number:02}-{}.png", index + 1)), &png)?;
        }
    }
    // Telegraf makes it with the first point.
    let points = parts.telegraf.points();
    if points.exists() {
        fs::copy(points, folder.join("points.influx")).context("failed to keep the points")?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("failed to write `{}`", path.display()))
}

fn to_png(picture: &[u8]) -> Result<Vec<u8>> {
    let mut png = Cursor::new(Vec::new());
    image::load_from_memory(picture)?.write_to(&mut png, ImageFormat::Png)?;
    Ok(png.into_inner())
}
