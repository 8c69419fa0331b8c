//! What an NTLM client's last message proves (MS-NLMP 3.3.2 and 3.2.5.1.2): whether it knows the password, whether all three
//! messages arrived as they were sent, and for which TLS connection they are meant.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md4::Md4;
use md5::{Digest as _, Md5};
use rc4::{Rc4, StreamCipher as _};

use super::message::{Authenticate, flags, pair, pairs_read, wide};

/// The bit of the pair of flags that says that there is a MIC.
const HAS_MIC: u32 = 0x0000_0002;

/// The length of NTLMv2's response before its pairs, without the proof.
const RESPONSE_HEADER: usize = 28;

/// What the server has to compare with.
pub(super) struct Expected<'e> {
    pub(super) user: &'e str,
    pub(super) domain: &'e str,
    pub(super) password: &'e str,
    pub(super) challenge: [u8; 8],
    /// The client's first message and the server's, as they went over the wire.
    pub(super) negotiate: &'e [u8],
    pub(super) challenge_message: &'e [u8],
}

/// What is wrong with a client's last message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is no response of NTLMv2.
    Version,
    /// There is no such user.
    User,
    /// It was made with another password, or for another challenge.
    Password,
    /// One of the messages was changed on its way.
    Mic,
}

/// What a message proves, if nothing is wrong with it: the digest of its channel binding, if it has one.
pub(super) type Bound = Option<[u8; 16]>;

/// Checks a client's last message.
pub(super) fn check(message: &Authenticate, expected: &Expected<'_>) -> Result<Bound, Wrong> {
    let (proof, response) = message.nt_response.split_first_chunk::<16>().ok_or(Wrong::Version)?;
    if response.get(..2) != Some(&[1, 1]) {
        return Err(Wrong::Version);
    }
    let pairs = response.get(RESPONSE_HEADER..).and_then(pairs_read).ok_or(Wrong::Version)?;
    // A name with an at sign is the user's whole name, and then there is no domain.
    let is_domain = message.domain.eq_ignore_ascii_case(expected.domain)
        || (message.domain.is_empty() && message.user.contains('@'));
    if !is_domain || message.user.to_uppercase() != expected.user.to_uppercase() {
        return Err(Wrong::User);
    }
    let key = key_of(&message.user, &message.domain, expected.password);
    if *proof != hmac(&key, &[&expected.challenge, response]) {
        return Err(Wrong::Password);
    }
    let value = |id| pairs.iter().find(|(known, _)| *known == id).map(|(_, value)| *value);
    let stated = value(pair::FLAGS).and_then(|value| value.try_into().ok()).map_or(0, u32::from_le_bytes);
    if stated & HAS_MIC != 0 {
        let key = exported_key(message, &hmac(&key, &[proof]));
        let mic = hmac(&key, &[expected.negotiate, expected.challenge_message, &message.without_mic]);
        if message.mic != Some(mic) {
            return Err(Wrong::Mic);
        }
    }
    // Zeros say that the client knows of channel binding and has none.
    Ok(value(pair::CHANNEL_BINDINGS).and_then(|value| value.try_into().ok()).filter(|bound| *bound != [0; 16]))
}

/// NTOWFv2: what a user's responses are made with.
fn key_of(user: &str, domain: &str, password: &str) -> [u8; 16] {
    let hash = Md4::digest(wide(password));
    hmac(&hash, &[&wide(&user.to_uppercase()), &wide(domain)])
}

/// The key of the session, which the client may have chosen.
fn exported_key(message: &Authenticate, exchange_key: &[u8; 16]) -> Vec<u8> {
    let chosen = message.flags & flags::KEY_EXCHANGE != 0 && message.flags & (flags::SIGN | flags::SEAL) != 0;
    let mut key = if chosen { message.encrypted_key.clone() } else { return exchange_key.to_vec() };
    if let Ok(mut cipher) = Rc4::new_from_slice(exchange_key) {
        cipher.apply_keystream(&mut key);
    }
    key
}

/// The digest by which a message is bound to a TLS connection: of a structure whose other members are zero.
pub(super) fn binding_digest(end_point: &[u8]) -> [u8; 16] {
    let application_data = [b"tls-server-end-point:", end_point].concat();
    let [l0, l1, l2, l3, ..] = application_data.len().to_le_bytes();
    Md5::new().chain_update([0; 16]).chain_update([l0, l1, l2, l3]).chain_update(application_data).finalize().into()
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    // HMAC takes a key of any length.
    let Ok(mut hmac) = Hmac::<Md5>::new_from_slice(key) else { return [0; 16] };
    parts.iter().for_each(|part| hmac.update(part));
    hmac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::super::message::{Challenge, Message, pairs_written};
    use super::*;

    /// The inputs of all examples (MS-NLMP 4.2.1).
    const CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

    fn bytes(hex: &str) -> Vec<u8> {
        hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
    }

    /// The target information of the examples of NTLMv2 (4.2.4).
    fn target_info() -> Vec<u8> {
        pairs_written(&[(pair::DOMAIN, wide("Domain")), (pair::COMPUTER, wide("Server"))])
    }

    /// 4.2.4.3, the challenge.
    fn challenge_message() -> Vec<u8> {
        bytes(
            "4e 54 4c 4d 53 53 50 00 02 00 00 00 0c 00 0c 00 38 00 00 00 33 82 8a e2 01 23 45 67 89 ab cd ef \
             00 00 00 00 00 00 00 00 24 00 24 00 44 00 00 00 06 00 70 17 00 00 00 0f 53 00 65 00 72 00 76 00 \
             65 00 72 00 02 00 0c 00 44 00 6f 00 6d 00 61 00 69 00 6e 00 01 00 0c 00 53 00 65 00 72 00 76 00 \
             65 00 72 00 00 00 00 00",
        )
    }

    /// 4.2.4.3, the client's answer.
    fn authenticate_message() -> Vec<u8> {
        bytes(
            "4e 54 4c 4d 53 53 50 00 03 00 00 00 18 00 18 00 6c 00 00 00 54 00 54 00 84 00 00 00 0c 00 0c 00 \
             48 00 00 00 08 00 08 00 54 00 00 00 10 00 10 00 5c 00 00 00 10 00 10 00 d8 00 00 00 35 82 88 e2 \
             05 01 28 0a 00 00 00 0f 44 00 6f 00 6d 00 61 00 69 00 6e 00 55 00 73 00 65 00 72 00 43 00 4f 00 \
             4d 00 50 00 55 00 54 00 45 00 52 00 86 c3 50 97 ac 9c ec 10 25 54 76 4a 57 cc cc 19 aa aa aa aa \
             aa aa aa aa 68 cd 0a b8 51 e5 1c 96 aa bc 92 7b eb ef 6a 1c 01 01 00 00 00 00 00 00 00 00 00 00 \
             00 00 00 00 aa aa aa aa aa aa aa aa 00 00 00 00 02 00 0c 00 44 00 6f 00 6d 00 61 00 69 00 6e 00 \
             01 00 0c 00 53 00 65 00 72 00 76 00 65 00 72 00 00 00 00 00 00 00 00 00 c5 da d2 54 4f c9 79 90 \
             94 ce 1c e9 0b c9 d0 3e",
        )
    }

    fn authenticate(message: &[u8]) -> Authenticate {
        match Message::read(message) {
            Some(Message::Authenticate(message)) => *message,
            other => panic!("{other:?}"),
        }
    }

    fn expected<'e>(user: &'e str, password: &'e str, challenge_message: &'e [u8]) -> Expected<'e> {
        Expected { user, domain: "Domain", password, challenge: CHALLENGE, negotiate: &[], challenge_message }
    }

    #[test]
    fn the_key_of_the_examples() {
        assert_eq!(
            key_of("User", "Domain", "Password").to_vec(),
            bytes("0c 86 8a 40 3b fd 7a 93 a3 00 1e f2 2e f0 2e 3f")
        );
    }

    #[test]
    fn the_challenge_of_the_examples() {
        let info = target_info();
        let challenge = Challenge {
            flags: 0xe28a_8233,
            challenge: CHALLENGE,
            target: "Server",
            target_info: &info,
            version: [6, 0, 0x70, 0x17, 0, 0, 0, 0x0f],
        };
        assert_eq!(challenge.write(), challenge_message());
    }

    #[test]
    fn the_answer_of_the_examples_is_right_and_others_are_not() {
        let (challenge, answer) = (challenge_message(), authenticate_message());
        let read = authenticate(&answer);
        assert_eq!((read.user.as_str(), read.domain.as_str(), read.mic), ("User", "Domain", None));
        assert_eq!(check(&read, &expected("USER", "Password", &challenge)), Ok(None));
        assert_eq!(check(&read, &expected("User", "password", &challenge)), Err(Wrong::Password));
        assert_eq!(check(&read, &expected("Ada", "Password", &challenge)), Err(Wrong::User));
        let elsewhere = Expected { challenge: [1; 8], ..expected("User", "Password", &challenge) };
        assert_eq!(check(&read, &elsewhere), Err(Wrong::Password));
        // A response of NTLMv1 has 24 bytes.
        let older = Authenticate { nt_response: vec![0xaa; 24], ..read };
        assert_eq!(check(&older, &expected("User", "Password", &challenge)), Err(Wrong::Version));
    }

    #[test]
    fn the_clients_key_of_the_examples() {
        let exchange_key: [u8; 16] = bytes("8d e4 0c ca db c1 4a 82 f1 5c b0 ad 0d e9 5c a3").try_into().unwrap();
        let proof = bytes("68 cd 0a b8 51 e5 1c 96 aa bc 92 7b eb ef 6a 1c");
        assert_eq!(hmac(&key_of("User", "Domain", "Password"), &[&proof]), exchange_key);
        let read = authenticate(&authenticate_message());
        assert_eq!(exported_key(&read, &exchange_key), [0x55; 16]);
        let unsigned = Authenticate { flags: read.flags & !(flags::SIGN | flags::SEAL), ..read };
        assert_eq!(exported_key(&unsigned, &exchange_key), exchange_key);
    }

    #[test]
    fn a_mic_that_is_promised_must_be_there() {
        let challenge = challenge_message();
        let mut read = authenticate(&authenticate_message());
        let key = key_of("User", "Domain", "Password");
        let mut response = bytes("01 01 00 00 00 00 00 00");
        response.extend([0; 8]);
        response.extend([0xaa; 8]);
        response.extend([0; 4]);
        response.extend(pairs_written(&[(pair::FLAGS, HAS_MIC.to_le_bytes().to_vec())]));
        read.nt_response = [&hmac(&key, &[&CHALLENGE, &response])[..], &response].concat();
        assert_eq!(check(&read, &expected("User", "Password", &challenge)), Err(Wrong::Mic));
    }

    #[test]
    fn what_is_cut_off_is_no_message() {
        for whole in [authenticate_message(), challenge_message()] {
            for end in 0..whole.len() {
                assert_eq!(Message::read(&whole[..end]), None, "{end} bytes");
            }
        }
        assert_eq!(pairs_read(&[]), None);
        assert_eq!(pairs_read(&[1, 0, 4, 0, 1]), None);
    }
}
