//! What a run of another program leaves: the picture that is its screenshot, and the files that are kept.

use std::{fs, io::Cursor, path::Path};

use image::{ImageFormat, ImageReader, Limits};

use super::workplace::Left;
use crate::{
    jpeg,
    run::{RunFile, redaction::Redaction},
};

/// Larger pictures are none that anybody would look at in a mail.
const PICTURE_MAX_BYTES: u64 = 32_000_000;

/// A page of 1280 pixels may be this high, and more in a few robots' pictures of whole pages.
const PICTURE_MAX_PIXELS: u32 = 20_000;

/// What a picture may take of the memory while it is read.
const PICTURE_MAX_MEMORY: u64 = 200_000_000;

/// So many pictures are tried: the newest may not have been written to its end.
const PICTURES_TRIED: usize = 3;

/// As a screenshot of the browser's own.
const QUALITY: u8 = 85;

/// So much is kept of a run, all files together.
const KEPT_MAX_BYTES: u64 = 32_000_000;

/// So many files of it.
const KEPT_MAX_FILES: usize = 50;

/// The newest picture that can be read, as a JPEG.
pub fn picture(left: &[Left]) -> Option<Vec<u8>> {
    let mut pictures: Vec<&Left> = left
        .iter()
        .filter(|file| is_picture(&file.name) && file.bytes <= PICTURE_MAX_BYTES)
        .collect();
    pictures.sort_by_key(|file| (file.modified_ns, &file.name));
    let mut newest = pictures.into_iter().rev().take(PICTURES_TRIED);
    newest.find_map(|file| as_jpeg(&fs::read(&file.path).ok()?))
}

fn is_picture(name: &Path) -> bool {
    name.extension().is_some_and(|extension| {
        ["png", "jpg", "jpeg"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

fn as_jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(PICTURE_MAX_PIXELS);
    limits.max_image_height = Some(PICTURE_MAX_PIXELS);
    limits.max_alloc = Some(PICTURE_MAX_MEMORY);
    reader.limits(limits);
    let is_jpeg = reader.format() == Some(ImageFormat::Jpeg);
    let picture = reader.decode().ok()?;
    if is_jpeg {
        return Some(bytes.to_vec());
    }
    jpeg::encode(&picture.into_rgb8(), QUALITY)
}

/// Files of a run, and why others are not among them.
#[derive(Debug, Default)]
pub struct Kept {
    /// Numbered, so that no two have one name.
    pub files: Vec<RunFile>,
    /// One line a file.
    pub given_up: Vec<String>,
}

/// How compressed files begin: ZIP, gzip, Zstandard, bzip2, xz, 7z (each format's own description).
const COMPRESSED: [&[u8]; 6] = [
    b"PK",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"BZh",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
];

/// Reads the files, the small ones first, and takes secrets out of those that are text.
pub fn files(left: &[Left], redaction: &Redaction, keep_compressed: bool) -> Kept {
    let mut left: Vec<&Left> = left.iter().collect();
    left.sort_by_key(|file| (file.bytes, &file.name));
    let mut kept = Kept::default();
    let mut bytes = 0;
    for file in left {
        let name = redaction.apply(&file.name.to_string_lossy());
        let room = kept.files.len() < KEPT_MAX_FILES && bytes + file.bytes <= KEPT_MAX_BYTES;
        if !room {
            kept.given_up.push(format!(
                "`{name}` ({} bytes): a run keeps {KEPT_MAX_FILES} files of {KEPT_MAX_BYTES} bytes in all",
                file.bytes
            ));
            continue;
        }
        let read = fs::read(&file.path);
        let is_compressed = |read: &Vec<u8>| COMPRESSED.iter().any(|begin| read.starts_with(begin));
        if !keep_compressed && read.as_ref().is_ok_and(is_compressed) {
            kept.given_up.push(format!(
                "`{name}`: nobody can see whether a secret is in a compressed file; `keep_compressed = true` keeps it"
            ));
            continue;
        }
        match read.map(|read| without_secrets(read, redaction)) {
            Ok(Some(read)) => {
                bytes += file.bytes;
                let number = kept.files.len() + 1;
                kept.files.push(RunFile {
                    name: format!("{number:02}-{}", flat(&name)),
                    bytes: read,
                });
            }
            Ok(None) => kept.given_up.push(format!("`{name}`: it holds a secret")),
            Err(error) => kept.given_up.push(format!("`{name}`: {error}")),
        }
    }
    kept
}

/// Nothing where they cannot be taken out.
fn without_secrets(bytes: Vec<u8>, redaction: &Redaction) -> Option<Vec<u8>> {
    match String::from_utf8(bytes) {
        Ok(text) => Some(redaction.apply(&text).into_bytes()),
        Err(error) => Some(error.into_bytes()).filter(|bytes| !redaction.is_in(bytes)),
    }
}

/// One name instead of folders, with nothing in it that an address or a shell would take for something else.
fn flat(name: &str) -> String {
    let safe = |character: char| character.is_ascii_alphanumeric() || ".-_".contains(character);
    let flat: String = name
        .chars()
        .map(|character| if safe(character) { character } else { '-' })
        .collect();
    // The end has what the file is.
    let surplus = flat.len().saturating_sub(120);
    flat[surplus..].to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn left(folder: &Path, name: &str, bytes: &[u8], modified_ns: i128) -> Left {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        Left {
            path,
            name: PathBuf::from(name),
            bytes: bytes.len() as u64,
            modified_ns,
        }
    }

    fn png(side: u32) -> Vec<u8> {
        let mut png = Cursor::new(Vec::new());
        image::RgbaImage::new(side, side)
            .write_to(&mut png, ImageFormat::Png)
            .unwrap();
        png.into_inner()
    }

    #[test]
    fn the_newest_picture_that_can_be_read_is_the_screenshot() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            left(folder.path(), "a.png", &png(10), 1),
            left(folder.path(), "b/test-failed-1.PNG", &png(20), 2),
            left(folder.path(), "c.jpg", b"half a picture", 3),
            left(folder.path(), "d.txt", b"text", 4),
        ];
        let jpeg = image::load_from_memory(&picture(&files).unwrap()).unwrap();
        assert_eq!((jpeg.width(), jpeg.height()), (20, 20));
        assert!(picture(&files[2..]).is_none());
    }

    #[test]
    fn files_are_kept_without_secrets_and_what_is_too_large_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut large = left(folder.path(), "video.webm", b"\xff", 1);
        large.bytes = 3_000_000_000;
        let files = [
            left(folder.path(), "x/trace.zip", b"\xffzip", 1),
            left(folder.path(), "página 1.html", b"<p>clave123</p>", 1),
            left(folder.path(), "core", b"\xffclave123", 1),
            large,
        ];
        let kept = super::files(&files, &Redaction::of_secrets(&["clave123".into()]), true);
        let names: Vec<_> = kept.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["01-x-trace.zip", "02-p-gina-1.html"]);
        assert_eq!(kept.files[1].bytes, b"<p>***</p>");
        assert_eq!(kept.given_up.len(), 2, "{:?}", kept.given_up);
    }

    #[test]
    fn a_compressed_file_may_hold_what_nobody_sees() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            left(folder.path(), "trace.zip", b"PK\x03\x04", 1),
            left(folder.path(), "video.webm", b"\x1aE\xdf\xa3", 2),
        ];
        let kept = super::files(&files, &Redaction::of_secrets(&[]), false);
        assert_eq!(kept.files.len(), 1, "{:?}", kept.given_up);
        assert!(
            kept.given_up[0].contains("`trace.zip`"),
            "{:?}",
            kept.given_up
        );
    }
}
