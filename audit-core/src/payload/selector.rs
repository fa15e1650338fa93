//! Path selectors: which places of a payload the operator decides on, whatever their keys say.

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// `**`: any number of steps.
    Deep,
    /// A key, or the number of an element.
    Name(Box<str>),
    /// `*`: any one key or element.
    One,
}

/// What a selector says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathVerdict {
    Keep,
    Redact,
}

/// How far along a selector the current place is.
pub(super) type Place = (usize, usize);

/// All selectors of a policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Selectors {
    paths: Vec<(Vec<Step>, PathVerdict)>,
}

impl Selectors {
    /// Adds `path`; the reason if it selects nothing.
    pub(super) fn add(&mut self, path: &str, verdict: PathVerdict) -> Result<(), &'static str> {
        let path = path.strip_prefix("$.").unwrap_or(path);
        let steps: Vec<Step> = path
            .split('.')
            .map(|step| match step {
                "*" => Step::One,
                "**" => Step::Deep,
                name => Step::Name(name.into()),
            })
            .collect();
        if steps.iter().any(|step| *step == Step::Name("".into())) {
            return Err("a step of the path is empty");
        }
        if steps.last() == Some(&Step::Deep) {
            return Err("the path ends in `**`, which selects nothing by itself");
        }
        self.paths.push((steps, verdict));
        Ok(())
    }

    /// Where every selector begins.
    pub(super) fn start(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for path in 0..self.paths.len() {
            self.arrive(path, 0, &mut places);
        }
        places
    }

    /// One step down, to a member.
    pub(super) fn step_key(&self, from: &[Place], key: &str) -> (Vec<Place>, Option<PathVerdict>) {
        self.step(from, |name| name == key)
    }

    /// One step down, to an element.
    pub(super) fn step_index(
        &self,
        from: &[Place],
        index: usize,
    ) -> (Vec<Place>, Option<PathVerdict>) {
        self.step(from, |name| name.parse() == Ok(index))
    }

    fn step(
        &self,
        from: &[Place],
        is_here: impl Fn(&str) -> bool,
    ) -> (Vec<Place>, Option<PathVerdict>) {
        let mut places = Vec::new();
        let mut verdict = None;
        for &(path, at) in from {
            let (steps, says) = &self.paths[path];
            let next = match &steps[at] {
                Step::Deep => {
                    self.arrive(path, at, &mut places);
                    continue;
                }
                Step::Name(name) if !is_here(name) => continue,
                Step::Name(_) | Step::One => at + 1,
            };
            if next < steps.len() {
                self.arrive(path, next, &mut places);
            } else if verdict != Some(PathVerdict::Redact) {
                // Of two selectors that disagree about a place, the one that redacts wins.
                verdict = Some(*says);
            }
        }
        (places, verdict)
    }

    /// Stands before step `at`; `**` may also stand for no step at all.
    fn arrive(&self, path: usize, at: usize, places: &mut Vec<Place>) {
        let steps = &self.paths[path].0;
        for (at, step) in steps.iter().enumerate().skip(at) {
            if !places.contains(&(path, at)) {
                places.push((path, at));
            }
            if *step != Step::Deep {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redaction_wins_over_keeping() {
        let mut selectors = Selectors::default();
        selectors
            .add("$.a.**.token", PathVerdict::Redact)
            .expect("a path");
        selectors
            .add("a.*.token", PathVerdict::Keep)
            .expect("a path");
        let (places, _) = selectors.step_key(&selectors.start(), "a");
        let (places, _) = selectors.step_index(&places, 3);
        let (_, verdict) = selectors.step_key(&places, "token");
        assert_eq!(verdict, Some(PathVerdict::Redact));
    }
}
