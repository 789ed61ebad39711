//! Closed sets of values that the books store as text.
//!
//! Owns the way between value and text: each value has one text, and no other text is one. What is on a wire
//! is spelled by its face.

/// An enum whose values the books store as text.
pub trait TextEnum: Copy + 'static {
    /// Every value, in the order in which they are declared.
    const ALL: &'static [Self];

    /// The text by which the books know it.
    fn as_str(self) -> &'static str;

    /// The value of a text, if it is one.
    fn parse(text: &str) -> Option<Self>;
}

/// Gives an enum its texts: [`TextEnum`], and the same as items of its own, so that they are there without
/// the trait and in constants.
#[macro_export]
macro_rules! text_enum {
    ($name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $name {
            /// Every value, in the order in which they are declared.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The text by which the books know it.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// The value of a text, if it is one.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl $crate::text_enum::TextEnum for $name {
            const ALL: &'static [$name] = $name::ALL;

            fn as_str(self) -> &'static str {
                self.as_str()
            }

            fn parse(text: &str) -> Option<Self> {
                $name::parse(text)
            }
        }
    };
}
