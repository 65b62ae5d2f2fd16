//! How is a small ONNX model written without a library for it? The few messages of its protobuf form that are needed.
//!
//! A message is a run of fields: a key (field number and wire type) and a value. Only two wire types occur here: whole
//! numbers in base 128, and byte strings with their length in front. Field numbers are those of `onnx.proto`.

/// Version of the operators that graphs are written in; every library from 1.14 on has it.
const OPSET: u64 = 18;
const IR_VERSION: u64 = 8;

/// Types of tensor elements, by their numbers in `TensorProto.DataType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ElementType {
    F32 = 1,
    I32 = 6,
    I64 = 7,
    Bool = 9,
    F16 = 10,
    F64 = 11,
    U32 = 12,
}

impl ElementType {
    pub(crate) fn n_bytes(self) -> usize {
        match self {
            ElementType::Bool => 1,
            ElementType::F16 => 2,
            ElementType::F32 | ElementType::I32 | ElementType::U32 => 4,
            ElementType::F64 | ElementType::I64 => 8,
        }
    }
}

/// A dimension of an input or output.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dim<'a> {
    Fixed(usize),
    Named(&'a str),
}

/// A graph in the making.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    fields: Message,
    n_nodes: usize,
}

impl Graph {
    /// An input of the graph.
    pub(crate) fn input(&mut self, name: &str, ty: ElementType, dims: &[Dim<'_>]) {
        self.fields.message(11, value_info(name, ty, dims));
    }

    /// An output of the graph; the node that makes it gives its value.
    pub(crate) fn output(&mut self, name: &str, ty: ElementType, dims: &[Dim<'_>]) {
        self.fields.message(12, value_info(name, ty, dims));
    }

    /// A constant; `data` is its elements in little-endian order.
    pub(crate) fn constant(&mut self, name: &str, ty: ElementType, dims: &[usize], data: &[u8]) {
        let mut tensor = Message::default();
        for &dim in dims {
            tensor.number(1, dim as u64);
        }
        tensor.number(2, ty as u64);
        tensor.bytes(8, name.as_bytes());
        tensor.bytes(9, data);
        self.fields.message(5, tensor);
    }

    /// A constant of whole numbers in one dimension.
    pub(crate) fn numbers(&mut self, name: &str, values: &[i64]) {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, ElementType::I64, &[values.len()], &data);
    }

    /// A node with one output; attributes are whole numbers.
    pub(crate) fn node(&mut self, op: &str, inputs: &[&str], output: &str, attributes: &[(&str, u64)]) {
        self.node_with_outputs(op, inputs, &[output], attributes);
    }

    /// A node with several outputs.
    pub(crate) fn node_with_outputs(
        &mut self,
        op: &str,
        inputs: &[&str],
        outputs: &[&str],
        attributes: &[(&str, u64)],
    ) {
        const KIND_OF_INT: u64 = 2;
        let mut node = Message::default();
        for input in inputs {
            node.bytes(1, input.as_bytes());
        }
        for output in outputs {
            node.bytes(2, output.as_bytes());
        }
        node.bytes(3, format!("{op}_{}", self.n_nodes).as_bytes());
        node.bytes(4, op.as_bytes());
        for (name, value) in attributes {
            let mut attribute = Message::default();
            attribute.bytes(1, name.as_bytes());
            attribute.number(3, *value);
            attribute.number(20, KIND_OF_INT);
            node.message(5, attribute);
        }
        self.n_nodes += 1;
        self.fields.message(1, node);
    }

    /// The bytes of a model file.
    pub(crate) fn into_model(mut self, name: &str) -> Vec<u8> {
        self.fields.bytes(2, name.as_bytes());
        let mut opset = Message::default();
        opset.number(2, OPSET);
        let mut model = Message::default();
        model.number(1, IR_VERSION);
        model.bytes(2, b"formwork");
        model.message(7, self.fields);
        model.message(8, opset);
        model.0
    }
}

fn value_info(name: &str, ty: ElementType, dims: &[Dim<'_>]) -> Message {
    let mut shape = Message::default();
    for dim in dims {
        let mut field = Message::default();
        match dim {
            Dim::Fixed(size) => field.number(1, *size as u64),
            Dim::Named(name) => field.bytes(2, name.as_bytes()),
        }
        shape.message(1, field);
    }
    let mut tensor = Message::default();
    tensor.number(1, ty as u64);
    tensor.message(2, shape);
    let mut kind = Message::default();
    kind.message(1, tensor);
    let mut info = Message::default();
    info.bytes(1, name.as_bytes());
    info.message(2, kind);
    info
}

/// The fields of one message, in the order in which they were added.
#[derive(Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    const NUMBER: u64 = 0;
    const BYTES: u64 = 2;

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3 | Message::NUMBER);
        self.varint(value);
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | Message::BYTES);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn message(&mut self, field: u64, value: Message) {
        self.bytes(field, &value.0);
    }

    /// Seven bits a byte, the lowest first; the high bit says that more come.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_the_wire_form() {
        let mut message = Message::default();
        message.number(1, 150);
        message.bytes(2, b"testing");
        assert_eq!(message.0, [&[0x08, 0x96, 0x01, 0x12, 0x07][..], b"testing"].concat());
        let mut outer = Message::default();
        outer.message(20, message);
        assert_eq!(outer.0[..3], [0xa2, 0x01, 12]);
    }
}
