//! What an area of the API is: some operations, and how each is answered.

use std::pin::Pin;

use protocol::error::ApiError;
use protocol::exchange::Reply;

/// How true what is served is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Service {
    /// A change is seen by every other operation.
    Stateful,
    /// What a seed has made is read; nothing moves by itself.
    Seeded,
}

/// An answer that is being made. Boxed, each by itself: one future that held them all would be as
/// large as the largest, and compiled once more wherever it is polled.
pub(crate) type Answering<'v> = Pin<Box<dyn Future<Output = Result<Reply, ApiError>> + Send + 'v>>;

/// An area: `served` names its operations, and `answer` answers one of them. Answers are
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
        pub(in crate::operations) fn served()
        -> impl Iterator<Item = (&'static str, $crate::operations::area::Service)> {
            [$($id),+].into_iter().map(|id| (id, $crate::operations::area::Service::$service))
        }

        pub(in crate::operations) fn answer<'v>(
            id: &str,
            $visit: &'v $crate::operations::Visit<'_>,
        ) -> Option<$crate::operations::area::Answering<'v>> {
            Some(match id {
                $($id => Box::pin(async move { $answer }),)+
                _ => return None,
            })
        }
    };
}

/// A room of areas: `served` unites what they name, and `answer` asks each in turn.
macro_rules! areas {
    ($($area:ident,)+) => {
        pub(in crate::operations) fn served()
        -> impl Iterator<Item = (&'static str, $crate::operations::area::Service)> {
            std::iter::empty()$(.chain($area::served()))+
        }

        pub(in crate::operations) fn answer<'v>(
            id: &str,
            visit: &'v $crate::operations::Visit<'_>,
        ) -> Option<$crate::operations::area::Answering<'v>> {
            None$(.or_else(|| $area::answer(id, visit)))+
        }
    };
}

pub(super) use {area, areas};
