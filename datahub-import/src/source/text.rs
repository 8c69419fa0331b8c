//! Bytes as text: UTF-8 or UTF-16, with or without a byte-order mark.

/// Decodes a document.
pub(super) fn decode(bytes: &[u8]) -> Result<String, String> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        // The declaration's `encoding` was about the bytes.
        String::from_utf16(&units).map_err(|_| "is not valid UTF-16 text; save it again".to_owned())
    };
    match bytes {
        [] => Err("is empty; save the document again".to_owned()),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        bytes => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line} is not UTF-8 text; {}", super::EXPECTED)
    })?;
    Ok(text.to_owned())
}
