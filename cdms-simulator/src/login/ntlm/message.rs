//! NTLM's messages, as a server reads and writes them (MS-NLMP 2.2.1 and 2.2.2).

/// What every message begins with.
const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// Where the header of a challenge ends and its payload begins.
const CHALLENGE_HEADER: usize = 56;

/// Where an authenticate message has its MIC, if it has one.
const MIC: std::ops::Range<usize> = 72..88;

/// What client and server agree on (MS-NLMP 2.2.2.5).
pub(super) mod flags {
    pub(in super::super) const UNICODE: u32 = 0x0000_0001;
    pub(in super::super) const REQUEST_TARGET: u32 = 0x0000_0004;
    pub(in super::super) const SIGN: u32 = 0x0000_0010;
    pub(in super::super) const SEAL: u32 = 0x0000_0020;
    pub(in super::super) const NTLM: u32 = 0x0000_0200;
    pub(in super::super) const ALWAYS_SIGN: u32 = 0x0000_8000;
    pub(in super::super) const TARGET_TYPE_DOMAIN: u32 = 0x0001_0000;
    pub(in super::super) const EXTENDED_SESSION_SECURITY: u32 = 0x0008_0000;
    pub(in super::super) const TARGET_INFO: u32 = 0x0080_0000;
    pub(in super::super) const VERSION: u32 = 0x0200_0000;
    pub(in super::super) const BITS_128: u32 = 0x2000_0000;
    pub(in super::super) const KEY_EXCHANGE: u32 = 0x4000_0000;
    pub(in super::super) const BITS_56: u32 = 0x8000_0000;
}

/// The pairs of a challenge's target information, which the client sends back (MS-NLMP 2.2.2.1).
pub(super) mod pair {
    pub(in super::super) const END: u16 = 0x0000;
    pub(in super::super) const COMPUTER: u16 = 0x0001;
    pub(in super::super) const DOMAIN: u16 = 0x0002;
    pub(in super::super) const DNS_COMPUTER: u16 = 0x0003;
    pub(in super::super) const DNS_DOMAIN: u16 = 0x0004;
    pub(in super::super) const FLAGS: u16 = 0x0006;
    pub(in super::super) const TIMESTAMP: u16 = 0x0007;
    pub(in super::super) const CHANNEL_BINDINGS: u16 = 0x000a;
}

/// The client's first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Negotiate {
    pub(super) flags: u32,
}

/// The client's last message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authenticate {
    pub(super) nt_response: Vec<u8>,
    pub(super) domain: String,
    pub(super) user: String,
    pub(super) encrypted_key: Vec<u8>,
    pub(super) flags: u32,
    pub(super) mic: Option<[u8; 16]>,
    /// The message with zeros in place of the MIC, of which the MIC is made.
    pub(super) without_mic: Vec<u8>,
}

/// A message of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Negotiate(Negotiate),
    Authenticate(Box<Authenticate>),
}

impl Message {
    /// Reads a message; `None` if it is none that a client sends.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        bytes.strip_prefix(SIGNATURE)?;
        match number(bytes, 8)? {
            1 => Some(Message::Negotiate(Negotiate { flags: number(bytes, 12)? })),
            3 => Authenticate::read(bytes).map(|message| Message::Authenticate(Box::new(message))),
            _ => None,
        }
    }
}

impl Authenticate {
    fn read(bytes: &[u8]) -> Option<Self> {
        let flags = number(bytes, 60)?;
        if flags & flags::UNICODE == 0 {
            return None;
        }
        let fields = [12, 20, 28, 36, 44, 52].map(|at| Field::read(bytes, at));
        let [Some(_lm), Some(nt), Some(domain), Some(user), Some(_workstation), Some(key)] = fields else {
            return None;
        };
        // The MIC is between the header and the first byte of the payload, if there is room for it.
        let payload = fields.iter().flatten().filter(|field| field.length > 0).map(|field| field.offset).min()?;
        let mut without_mic = bytes.to_vec();
        let mic = if payload >= MIC.end {
            let kept = without_mic.get_mut(MIC)?;
            let mic = <[u8; 16]>::try_from(&*kept).ok()?;
            kept.fill(0);
            Some(mic)
        } else {
            None
        };
        Some(Authenticate {
            nt_response: nt.of(bytes)?.to_vec(),
            domain: text(domain.of(bytes)?)?,
            user: text(user.of(bytes)?)?,
            encrypted_key: key.of(bytes)?.to_vec(),
            flags,
            mic,
            without_mic,
        })
    }
}

/// The server's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge<'c> {
    pub(super) flags: u32,
    pub(super) challenge: [u8; 8],
    /// The server's name, or its domain's.
    pub(super) target: &'c str,
    pub(super) target_info: &'c [u8],
    pub(super) version: [u8; 8],
}

impl Challenge<'_> {
    pub(super) fn write(&self) -> Vec<u8> {
        let target = wide(self.target);
        let mut message = SIGNATURE.to_vec();
        message.extend(2_u32.to_le_bytes());
        message.extend(Field { length: target.len(), offset: CHALLENGE_HEADER }.written());
        message.extend(self.flags.to_le_bytes());
        message.extend(self.challenge);
        message.extend([0; 8]);
        message.extend(Field { length: self.target_info.len(), offset: CHALLENGE_HEADER + target.len() }.written());
        message.extend(self.version);
        message.extend(target);
        message.extend(self.target_info);
        message
    }
}

/// Where a part of the payload is.
#[derive(Clone, Copy)]
struct Field {
    length: usize,
    offset: usize,
}

impl Field {
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let length = u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?);
        let offset = usize::try_from(number(bytes, at + 4)?).ok()?;
        Some(Field { length: length.into(), offset })
    }

    fn of(self, bytes: &[u8]) -> Option<&[u8]> {
        if self.length == 0 {
            return Some(&[]);
        }
        bytes.get(self.offset..self.offset.checked_add(self.length)?)
    }

    /// The field, written. A server's own names and pairs are short, so both numbers fit.
    fn written(self) -> [u8; 8] {
        let [l0, l1, ..] = self.length.to_le_bytes();
        let [o0, o1, o2, o3, ..] = self.offset.to_le_bytes();
        [l0, l1, l0, l1, o0, o1, o2, o3]
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A text as UTF-16.
pub(super) fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn text(wide: &[u8]) -> Option<String> {
    let (units, rest) = wide.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    rest.is_empty().then(|| String::from_utf16(&units).ok())?
}

/// Pairs, written, with the one that ends them.
pub(super) fn pairs_written(pairs: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut written = Vec::new();
    for (id, value) in pairs.iter().chain([&(pair::END, Vec::new())]) {
        let [l0, l1, ..] = value.len().to_le_bytes();
        written.extend(id.to_le_bytes());
        written.extend([l0, l1]);
        written.extend(value);
    }
    written
}

/// The pairs up to the one that ends them; `None` if they are cut off.
pub(super) fn pairs_read(mut bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut pairs = Vec::new();
    loop {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let [i0, i1, l0, l1] = *head;
        let (id, length) = (u16::from_le_bytes([i0, i1]), u16::from_le_bytes([l0, l1]));
        if id == pair::END {
            return Some(pairs);
        }
        let (value, rest) = rest.split_at_checked(length.into())?;
        pairs.push((id, value));
        bytes = rest;
    }
}
