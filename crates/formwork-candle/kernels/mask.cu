// Which logits may be chosen? Writes minus infinity in place wherever a mask does not allow the token.
//
// A mask is a row of packed bits (bit id % 32 of word id / 32), which stays on the device because many masks share it, and
// two short lists of ids in rising order: tokens allowed beyond the row, then tokens of the row that are not allowed. The
// lists are searched only where they can matter, so a step costs one pass over the logits and sends the lists alone.
//
// mask.ptx is made from this file by build.sh.

typedef unsigned int u32;
typedef unsigned short u16;

__device__ __forceinline__ bool contains(const u32 *ids, u32 n_ids, u32 id) {
    u32 start = 0, end = n_ids;
    while (start < end) {
        u32 middle = (start + end) / 2;
        if (ids[middle] < id) {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    return start < n_ids && ids[start] == id;
}

template <typename Bits>
__device__ __forceinline__ void mask_row(Bits *logits, u32 width, const u32 *words, u32 n_words, const u32 *ids,
                                         u32 n_added, u32 n_removed, Bits forbidden) {
    u32 id = blockIdx.x * blockDim.x + threadIdx.x;
    if (id >= width) {
        return;
    }
    u32 word = id / 32 < n_words ? words[id / 32] : 0;
    bool is_in_row = (word >> (id % 32)) & 1;
    bool is_allowed = is_in_row ? !contains(ids + n_added, n_removed, id) : contains(ids, n_added, id);
    if (!is_allowed) {
        logits[id] = forbidden;
    }
}

// The type of the logits matters only by its width and its minus infinity, so f16 and bf16 share a kernel.
extern "C" __global__ void mask_16(u16 *logits, u32 width, const u32 *words, u32 n_words, const u32 *ids, u32 n_added,
                                   u32 n_removed, u32 forbidden) {
    mask_row<u16>(logits, width, words, n_words, ids, n_added, n_removed, (u16)forbidden);
}

extern "C" __global__ void mask_32(u32 *logits, u32 width, const u32 *words, u32 n_words, const u32 *ids, u32 n_added,
                                   u32 n_removed, u32 forbidden) {
    mask_row<u32>(logits, width, words, n_words, ids, n_added, n_removed, forbidden);
}
