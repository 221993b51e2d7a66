/// The element types that a safetensors header may name, by the names that it uses.
///
/// Source: https://github.com/huggingface/safetensors, enum Dtype.
public enum ElementType: String, Sendable, CaseIterable {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case f64 = "F64"
    case f8E5M2 = "F8_E5M2"
    case f8E4M3 = "F8_E4M3"
    case f8E8M0 = "F8_E8M0"
    case f8E5M2FNUZ = "F8_E5M2FNUZ"
    case f8E4M3FNUZ = "F8_E4M3FNUZ"
    case f6E2M3 = "F6_E2M3"
    case f6E3M2 = "F6_E3M2"
    case f4 = "F4"
    case c64 = "C64"
    case i64 = "I64"
    case i32 = "I32"
    case i16 = "I16"
    case i8 = "I8"
    case u64 = "U64"
    case u32 = "U32"
    case u16 = "U16"
    case u8 = "U8"
    case bool = "BOOL"

    /// The width of one element, in bits.
    public var bits: Int {
        switch self {
        case .f64, .c64, .i64, .u64: 64
        case .f32, .i32, .u32: 32
        case .f16, .bf16, .i16, .u16: 16
        case .f8E5M2, .f8E4M3, .f8E8M0, .f8E5M2FNUZ, .f8E4M3FNUZ, .i8, .u8, .bool: 8
        case .f6E2M3, .f6E3M2: 6
        case .f4: 4
        }
    }

    /// Whether tensors of this type can be loaded; the others are only listed.
    public var isLoadable: Bool {
        switch self {
        case .f32, .f16, .bf16: true
        default: false
        }
    }
}
