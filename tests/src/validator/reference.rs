//! What do `$ref`, `$dynamicRef` and `$recursiveRef` apply? Core, section 8.2.3.

use serde_json::Value;

use super::{Evaluated, Site, Unjudged, Validator, Verdict, Way};

impl<'s> Validator<'s> {
    pub(super) fn references(&self, site: Site<'s, '_>, way: &mut Way) -> Verdict {
        let mut evaluated = Evaluated::default();
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(reference) = site.get(keyword) else { continue };
            let Some(reference) = reference.as_str() else {
                return Err(Unjudged(format!("{keyword} is not a string")));
            };
            let (target, fragment) = self.resources.find(site.resource, reference)?;
            let target = match keyword {
                "$dynamicRef" => self.dynamic(target, &fragment, way),
                "$recursiveRef" => self.recursive(target, way),
                _ => target,
            };
            match self.evaluate(target, site.instance, way)? {
                Some(more) => evaluated.add(more),
                None => return Ok(None),
            }
        }
        Ok(Some(evaluated))
    }

    /// Section 8.2.3.2: where the starting point has a dynamic anchor of that name, the outermost resource of the dynamic
    /// scope that has one decides.
    fn dynamic(&self, start: super::Node<'s>, fragment: &str, way: &Way) -> super::Node<'s> {
        let is_dynamic = start.value.get("$dynamicAnchor").and_then(Value::as_str) == Some(fragment);
        let outermost = || way.scope.iter().find_map(|resource| self.resources.dynamic_anchor(*resource, fragment));
        if is_dynamic { outermost().unwrap_or(start) } else { start }
    }

    /// 2019-09, section 8.2.4.2: where the starting point has `"$recursiveAnchor": true`, the outermost resource of the
    /// dynamic scope that has it too.
    fn recursive(&self, start: super::Node<'s>, way: &Way) -> super::Node<'s> {
        let is_recursive = |value: &Value| value.get("$recursiveAnchor") == Some(&Value::Bool(true));
        if !is_recursive(start.value) {
            return start;
        }
        let outermost = way.scope.iter().find(|resource| is_recursive(self.resources.root(**resource)));
        outermost.map_or(start, |resource| super::Node { value: self.resources.root(*resource), resource: *resource })
    }
}
