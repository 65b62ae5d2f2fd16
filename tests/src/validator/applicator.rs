//! What do subschemas say about the instance, its members and its elements? Core, sections 10 and 11.

use serde_json::{Map, Value};

use super::draft::Draft;
use super::{Evaluated, Site, Unjudged, Validator, Verdict, Way};

fn malformed(keyword: &str) -> Unjudged {
    Unjudged(format!("the value of {keyword} is not what the keyword takes"))
}

fn object<'s>(keyword: &str, value: &'s Value) -> Result<&'s Map<String, Value>, Unjudged> {
    value.as_object().ok_or_else(|| malformed(keyword))
}

fn count(value: Option<&Value>, otherwise: usize) -> usize {
    value.and_then(Value::as_f64).map_or(otherwise, |number| number as usize)
}

impl<'s> Validator<'s> {
    /// Section 10.2: `allOf`, `anyOf`, `oneOf`, `not`, `if`, `then`, `else`, `dependentSchemas`.
    pub(super) fn in_place(&self, site: Site<'s, '_>, way: &mut Way) -> Verdict {
        let mut evaluated = Evaluated::default();
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let Some(branches) = site.get(keyword) else { continue };
            let branches = branches.as_array().ok_or_else(|| malformed(keyword))?;
            let mut n_valid = 0;
            // All branches are looked at: each valid one may evaluate something.
            for branch in branches {
                if let Some(more) = self.evaluate(site.node(branch), site.instance, way)? {
                    evaluated.add(more);
                    n_valid += 1;
                }
            }
            let is_valid = match keyword {
                "allOf" => n_valid == branches.len(),
                "anyOf" => n_valid >= 1,
                _ => n_valid == 1,
            };
            if !is_valid {
                return Ok(None);
            }
        }
        if let Some(schema) = site.get("not")
            && self.evaluate(site.node(schema), site.instance, way)?.is_some()
        {
            return Ok(None);
        }
        for part in [Self::conditional, Self::dependent] {
            match part(self, site, way)? {
                Some(more) => evaluated.add(more),
                None => return Ok(None),
            }
        }
        Ok(Some(evaluated))
    }

    /// Section 10.2.2.
    fn conditional(&self, site: Site<'s, '_>, way: &mut Way) -> Verdict {
        let Some(condition) = site.get("if") else { return Ok(Some(Evaluated::default())) };
        let condition = self.evaluate(site.node(condition), site.instance, way)?;
        let branch = if condition.is_some() { "then" } else { "else" };
        let mut evaluated = condition.unwrap_or_default();
        if let Some(branch) = site.get(branch) {
            match self.evaluate(site.node(branch), site.instance, way)? {
                Some(more) => evaluated.add(more),
                None => return Ok(None),
            }
        }
        Ok(Some(evaluated))
    }

    /// Section 10.2.2.4; up to draft-07 `dependencies` with schemas.
    fn dependent(&self, site: Site<'s, '_>, way: &mut Way) -> Verdict {
        let mut evaluated = Evaluated::default();
        let Value::Object(members) = site.instance else { return Ok(Some(evaluated)) };
        for keyword in ["dependentSchemas", "dependencies"] {
            let Some(value) = site.get(keyword) else { continue };
            for (key, schema) in object(keyword, value)? {
                if schema.is_array() || !members.contains_key(key) {
                    continue;
                }
                match self.evaluate(site.node(schema), site.instance, way)? {
                    Some(more) => evaluated.add(more),
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(evaluated))
    }

    /// Section 10.3.2: `properties`, `patternProperties`, `additionalProperties`, `propertyNames`.
    pub(super) fn members(&self, site: Site<'s, '_>, way: &mut Way) -> Verdict {
        let mut evaluated = Evaluated::default();
        let Value::Object(members) = site.instance else { return Ok(Some(evaluated)) };
        if let Some(names) = site.get("propertyNames") {
            for key in members.keys() {
                if self.evaluate(site.node(names), &Value::String(key.clone()), way)?.is_none() {
                    return Ok(None);
                }
            }
        }
        for (key, value) in members {
            let mut schemas = Vec::new();
            if let Some(properties) = site.get("properties") {
                schemas.extend(object("properties", properties)?.get(key));
            }
            if let Some(patterns) = site.get("patternProperties") {
                for (pattern, schema) in object("patternProperties", patterns)? {
                    if self.is_found(pattern, key)? {
                        schemas.push(schema);
                    }
                }
            }
            if schemas.is_empty() {
                schemas.extend(site.get("additionalProperties"));
            }
            for schema in schemas {
                if self.evaluate(site.node(schema), value, way)?.is_none() {
                    return Ok(None);
                }
                evaluated.keys.insert(key.clone());
            }
        }
        Ok(Some(evaluated))
    }

    /// Section 10.3.1: `prefixItems`, `items`, `contains`; before 2020-12 an array of `items`, and `additionalItems`.
    pub(super) fn elements(&self, site: Site<'s, '_>, way: &mut Way) -> Verdict {
        let mut evaluated = Evaluated::default();
        let Value::Array(elements) = site.instance else { return Ok(Some(evaluated)) };
        let has_old_tuples = site.draft != Draft::Draft2020;
        let (prefix, rest) = match (site.get("prefixItems"), site.get("items")) {
            (None, Some(Value::Array(prefix))) if has_old_tuples => {
                (prefix.as_slice(), site.schema.get("additionalItems"))
            }
            (Some(Value::Array(prefix)), rest) => (prefix.as_slice(), rest),
            (None, rest) => (&[][..], rest),
            _ => return Err(malformed("prefixItems")),
        };
        for (index, element) in elements.iter().enumerate() {
            let Some(schema) = prefix.get(index).or(rest) else { continue };
            if self.evaluate(site.node(schema), element, way)?.is_none() {
                return Ok(None);
            }
            evaluated.items.insert(index);
        }
        match self.contains(site, elements, way)? {
            Some(more) => evaluated.add(more),
            None => return Ok(None),
        }
        Ok(Some(evaluated))
    }

    /// Section 10.3.1.3 and Validation, sections 6.4.4 and 6.4.5. Only since 2020-12 it evaluates what it matches.
    fn contains(&self, site: Site<'s, '_>, elements: &[Value], way: &mut Way) -> Verdict {
        let mut evaluated = Evaluated::default();
        let Some(schema) = site.get("contains") else { return Ok(Some(evaluated)) };
        let mut n_matches = 0;
        for (index, element) in elements.iter().enumerate() {
            if self.evaluate(site.node(schema), element, way)?.is_some() {
                n_matches += 1;
                if site.draft >= Draft::Draft2020 {
                    evaluated.items.insert(index);
                }
            }
        }
        let (least, most) = (count(site.get("minContains"), 1), count(site.get("maxContains"), usize::MAX));
        Ok((least <= n_matches && n_matches <= most).then_some(evaluated))
    }

    /// Section 11: `unevaluatedItems` and `unevaluatedProperties`, after all others.
    pub(super) fn unevaluated(&self, site: Site<'s, '_>, so_far: Evaluated, way: &mut Way) -> Verdict {
        let mut evaluated = so_far;
        if let (Some(schema), Value::Array(elements)) = (site.get("unevaluatedItems"), site.instance) {
            for (index, element) in elements.iter().enumerate() {
                if !evaluated.items.contains(&index) && self.evaluate(site.node(schema), element, way)?.is_none() {
                    return Ok(None);
                }
            }
            evaluated.items.extend(0..elements.len());
        }
        if let (Some(schema), Value::Object(members)) = (site.get("unevaluatedProperties"), site.instance) {
            for (key, value) in members {
                if !evaluated.keys.contains(key) && self.evaluate(site.node(schema), value, way)?.is_none() {
                    return Ok(None);
                }
            }
            evaluated.keys.extend(members.keys().cloned());
        }
        Ok(Some(evaluated))
    }
}
