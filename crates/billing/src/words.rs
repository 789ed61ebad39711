//! Closed sets of words that the books store as text.

/// Gives an enum its words: `as_str`, and `parse` of exactly those words.
#[macro_export]
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// Every value, in the order in which they are declared.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word by which the books know it.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The value of a word, if it is one.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }
    };
}
