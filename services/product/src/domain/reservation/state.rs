//! How far an order is, as product knows it.

use ecommerce_types::Invalid;

/// What product knows of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing yet.
    #[default]
    Unknown,
    /// All its lines are set aside.
    Reserved,
    /// None of its lines is, and order has been answered.
    Rejected,
    /// It is paid, and its pieces are no longer here.
    Sold,
    /// It has ended, and whatever it held was given back.
    Closed,
    /// It has been sent: its sale is final.
    Fulfilled,
}

impl State {
    /// The state's name in the database.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Reserved => "reserved",
            Self::Rejected => "rejected",
            Self::Sold => "sold",
            Self::Closed => "closed",
            Self::Fulfilled => "fulfilled",
        }
    }

    /// Whether the order's lines are written down.
    #[must_use]
    pub(crate) fn has_lines(self) -> bool {
        matches!(self, Self::Reserved | Self::Sold)
    }
}

impl std::str::FromStr for State {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = [Self::Unknown, Self::Reserved, Self::Rejected, Self::Sold, Self::Closed, Self::Fulfilled];
        let state = known.into_iter().find(|state| state.as_str() == text);
        state.ok_or(Invalid("a reservation is unknown, reserved, rejected, sold, closed or fulfilled"))
    }
}
