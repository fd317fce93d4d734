//! What an area of the API is: some operations, and how each is answered.

/// How true what is served is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Service {
    /// A change is seen by every other operation.
    Stateful,
    /// What a seed has made is read; nothing moves by itself.
    Seeded,
}

/// An area: `SERVED` names its operations, and `answer` answers one of them. Answers are
/// expressions of the visit's name; those that wait say `.await`. An area whose things a seed has
/// made, once and for all, says `seeded`.
///
/// ```ignore
/// area! { visit;
///     "getTags" => list(visit).await,
/// }
/// area! { visit, seeded;
///     "getPositions" => positions(visit).await,
/// }
/// ```
macro_rules! area {
    ($visit:ident; $($rest:tt)+) => {
        $crate::operations::area::area! { @ $visit Stateful $($rest)+ }
    };
    ($visit:ident, seeded; $($rest:tt)+) => {
        $crate::operations::area::area! { @ $visit Seeded $($rest)+ }
    };
    (@ $visit:ident $service:ident $($id:literal => $answer:expr,)+) => {
        pub(super) const SERVED: (&[&str], $crate::operations::area::Service) =
            (&[$($id),+], $crate::operations::area::Service::$service);

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
        pub(crate) fn served() -> impl Iterator<Item = (&'static str, Service)> {
            let areas = [$($area::SERVED),+].into_iter();
            let reads = reads::SERVED.into_iter().map(|id| (id, Service::Stateful));
            reads.chain(areas.flat_map(|(ids, service)| ids.iter().map(move |id| (*id, service))))
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
