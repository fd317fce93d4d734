//! What an area of the API is: some operations, and how each is answered.

/// How truly an operation is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// A change is seen by every other operation.
    Stateful,
    /// Read from what the workspace was made with; nothing changes it.
    Seeded,
}

impl Truth {
    /// In the words of the coverage page.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stateful => "stateful",
            Self::Seeded => "seeded read",
        }
    }
}

/// An area: `SERVED` names its operations, and `answer` answers one of them. Answers are
/// expressions of the visit's name; those that wait say `.await`.
///
/// ```ignore
/// area! { Stateful; visit;
///     "getTags" => list(visit).await,
/// }
/// ```
macro_rules! area {
    ($truth:ident; $visit:ident; $($id:literal => $answer:expr,)+) => {
        pub(super) const SERVED: &[(&str, $crate::operations::Truth)] =
            &[$(($id, $crate::operations::Truth::$truth)),+];

        pub(super) async fn answer(
            id: &str,
            $visit: &$crate::operations::Visit<'_>,
        ) -> Option<Result<protocol::exchange::Reply, protocol::error::ApiError>> {
            Some(match id {
                $($id => $answer,)+
                _ => return None,
            })
        }
    };
}

/// The areas: each is asked in turn, and `served` unites what they name.
macro_rules! areas {
    ($($(#[$doc:meta])* $area:ident,)+) => {
        $($(#[$doc])* mod $area;)+

        /// The operations that are served, and how truly.
        pub(crate) fn served() -> impl Iterator<Item = (&'static str, Truth)> {
            let books = reads::SERVED.into_iter().map(|id| (id, Truth::Stateful));
            books.chain([$($area::SERVED),+].into_iter().flatten().copied())
        }

        async fn own(id: &str, visit: &Visit<'_>) -> Option<Result<Reply, ApiError>> {
            $(if let Some(answer) = $area::answer(id, visit).await {
                return Some(answer);
            })+
            None
        }
    };
}

pub(super) use {area, areas};
