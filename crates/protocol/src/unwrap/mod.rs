//! Takes off what carriers put around a thing: base64, hexadecimal, quotation marks and markup of
//! mails, escapes of JSON, gzip and zip. What lies inside is shown to whoever looks for something,
//! as bytes and as text, layer by layer, within bounds.

pub(crate) mod encoded;
pub(crate) mod packed;
mod text;

use zeroize::Zeroizing;

use packed::Packed;

/// How many wrappings are opened, one in the other, beside the outermost.
const MAX_DEPTH: u8 = 4;

/// How much may still be done, in bytes looked at.
pub(crate) struct Work(usize);

impl Work {
    /// Takes that much; false where too little is left, and from then on.
    pub(crate) fn spend(&mut self, bytes: usize) -> bool {
        self.0 = self.0.saturating_sub(bytes);
        self.0 > 0
    }
}

/// Somebody who looks for something.
pub(crate) trait Look {
    /// What begins here; how many bytes of it need no second look.
    fn bytes(&mut self, rest: &[u8], work: &mut Work) -> usize;

    /// A text, taken off its carrier in one of the ways it may have been written.
    fn text(&mut self, text: &[u8], work: &mut Work);

    /// There is more than could be opened: nobody can say what is in it.
    fn lost(&mut self);
}

/// Shows all of it, down to the innermost layer, and does so much work at most.
pub(crate) fn walk(input: &[u8], most: usize, look: &mut impl Look) {
    let work = Work(most);
    let mut walk = Walk { work, look };
    walk.layer(input, 0);
    if walk.work.0 == 0 {
        walk.look.lost();
    }
}

struct Walk<'a, L> {
    work: Work,
    look: &'a mut L,
}

impl<L: Look> Walk<'_, L> {
    fn layer(&mut self, bytes: &[u8], depth: u8) {
        self.binary(bytes, depth);
        self.text(&text::unescaped(bytes), depth);
        if let Some(other) = text::undressed(bytes) {
            self.text(&text::unescaped(&other), depth);
        }
    }

    fn binary(&mut self, bytes: &[u8], depth: u8) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(packed) = packed::recognise(rest) {
                self.packed(packed, bytes, at, depth);
                at += 1;
            } else {
                at += self.look.bytes(rest, &mut self.work).max(1);
            }
        }
    }

    /// Unpacks, as far as there is work left for it.
    fn packed(&mut self, packed: Packed, bytes: &[u8], at: usize, depth: u8) {
        if !self.work.spend(packed::COST) {
            return;
        }
        match packed::open(packed, bytes, at, self.work.0.min(packed::MOST)) {
            Some(inside) if inside.is_empty() => {}
            Some(inside) if depth < MAX_DEPTH => self.inside(&inside, depth),
            _ => self.look.lost(),
        }
    }

    fn text(&mut self, text: &[u8], depth: u8) {
        for run in encoded::joined(text) {
            // Words before it may have shifted it.
            for from in 0..4 {
                let run = run.get(from..).unwrap_or_default();
                self.inside(&encoded::decode(run), depth);
            }
        }
        for digits in encoded::digits(text) {
            for from in 0..2 {
                let digits = digits.get(from..).unwrap_or_default();
                self.inside(&encoded::decode_digits(digits), depth);
            }
        }
        self.look.text(text, &mut self.work);
    }

    fn inside(&mut self, bytes: &Zeroizing<Vec<u8>>, depth: u8) {
        if !self.work.spend(bytes.len()) {
            return;
        }
        if depth < MAX_DEPTH {
            self.layer(bytes, depth + 1);
        } else {
            self.binary(bytes, depth);
        }
    }
}
