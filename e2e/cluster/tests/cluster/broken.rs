use crate::Check;
pub(crate) const CHECKS: &[(&str, Check)] = &[];
