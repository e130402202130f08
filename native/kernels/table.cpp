// The kernels of this instruction set, by name.
#include "../runtime/kernels.h"

namespace longra::LONGRA_ISA {

void rms_norm(const float*, const float*, float, float, int, float*);
void layer_norm(const float*, const float*, const float*, float, int, float*);
void activate(Activate, const float*, const float*, int, float*);
void add(const float*, int, float*);
void multiply(const float*, int, float*);
void rotate(float*, const float*, const float*, int, bool);
void embed(const Matrix&, int, float, float*);
void quantise(const float* const*, int, int, const QuantisedRows&);
void multiply_quantised(const Piece&, int, int, const QuantisedRows&, float*, size_t, Finish);
void multiply_floats(const Piece&, int, int, const float*, size_t, int, float*, size_t, Finish);
bool takes_operand(Format);
void pack_operand(const float*, size_t, int, int, uint16_t*);
void prefill(const Piece&, const Piece*, Deal&, const uint16_t*, const float*, size_t, int, float*, size_t, uint16_t*, int, Finish,
             Activate, uint8_t*);
size_t prefill_scratch(int, int, int);
void cache_write(const CacheShape&, uint8_t*, int, const float*, const float*);
void attend_span(const CacheShape&, const AttentionShape&, const CacheView&, Seen, const float*, const Seen*, int, float*, uint8_t*);
size_t attend_scratch(const CacheShape&);
void merge_spans(const CacheShape&, const float*, size_t, int, const float*, float*);
void attend_mass(const CacheShape&, const AttentionShape&, const CacheView&, Seen, const float*, const Seen*, int, const Merged*,
                 float* const*, uint8_t*);
uint32_t read_all(const uint8_t*, size_t, int);
double multiply_all(uint8_t*, int);
#if defined(__AVX512BF16__)
void attend_block(const CacheShape&, const AttentionShape&, const CacheView&, int, int, const float*, size_t, float*, size_t, int, int,
                  uint8_t*);
size_t attend_block_scratch(const CacheShape&, int);
#endif

extern const Kernels kernels;
const Kernels kernels = {
    .name = LONGRA_ISA_NAME,
    .takes_operand = takes_operand,
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .activate = activate,
    .add = add,
    .multiply = multiply,
    .rotate = rotate,
    .embed = embed,
    .quantise = quantise,
    .multiply_quantised = multiply_quantised,
    .multiply_floats = multiply_floats,
    .pack_operand = pack_operand,
    .prefill = prefill,
    .prefill_scratch = prefill_scratch,
    .cache_write = cache_write,
#if defined(__AVX512BF16__)
    .queries = 16,
#else
    .queries = kQueries,
#endif
    .attend_span = attend_span,
    .attend_scratch = attend_scratch,
    .merge_spans = merge_spans,
    .attend_mass = attend_mass,
    .read_all = read_all,
    .multiply_all = multiply_all,
#if defined(__AVX512BF16__)
    .attend_block = attend_block,
    .attend_block_scratch = attend_block_scratch,
#else
    .attend_block = nullptr,
    .attend_block_scratch = nullptr,
#endif
};

}  // namespace longra::LONGRA_ISA
