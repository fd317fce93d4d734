//! What an area of the API is: some operations, and how each is answered.

/// An area: `SERVED` names its operations, and `answer` answers one of them. Answers are
/// expressions of the visit's name; those that wait say `.await`.
///
/// ```ignore
/// area! { visit;
///     "getTags" => list(visit).await,
/// }
/// ```
macro_rules! area {
    ($visit:ident; $($id:literal => $answer:expr,)+) => {
        pub(super) const SERVED: &[&str] = &[$($id),+];

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
    ($($area:ident,)+) => {
        /// The operations that are served.
        pub(crate) fn served() -> impl Iterator<Item = &'static str> {
            let areas = [$($area::SERVED),+].into_iter().flatten().copied();
            reads::SERVED.into_iter().chain(areas)
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
