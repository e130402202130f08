// The intrinsics by name: compiled once with the emulation before it, and once for each set of real instructions.
#include "cases.h"

#include <immintrin.h>

#include <cstring>

namespace longra::LONGRA_CHECK {

namespace {

template <class V>
V get(const uint8_t* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class V>
void put(Output& out, V v) {
  std::memcpy(out.bits, &v, sizeof v);
}

#define CASE(name, call) {#name, [](const Inputs& in, Output& out) { call; }}
#define I(x) get<__m512i>(in.x)
#define F(x) get<__m512>(in.x)
#define H(x) get<__m512h>(in.x)
#define B(x) get<__m512bh>(in.x)
#define UNARY(name) CASE(name, put(out, _mm512_##name(I(a))))
#define BINARY(name) CASE(name, put(out, _mm512_##name(I(a), I(b))))
#define TERNARY(name) CASE(name, put(out, _mm512_##name(I(a), I(b), I(c))))
#define FLOAT1(name) CASE(name, put(out, _mm512_##name(F(a))))
#define FLOAT2(name) CASE(name, put(out, _mm512_##name(F(a), F(b))))
#define FLOAT3(name) CASE(name, put(out, _mm512_##name(F(a), F(b), F(c))))
#define HALF2(name) CASE(name, put(out, _mm512_##name(H(a), H(b))))
#define NARROW(name, V) CASE(name, put(out, _mm512_##name(get<V>(in.a))))
#define COMPARE(name) CASE(name, out.mask = _mm512_##name##_mask(I(a), I(b)))
#define WITH(name, immediate) CASE(name immediate, put(out, _mm512_##name(I(a), immediate)))
#define PREDICATE(p) CASE(cmp_ps p, out.mask = _mm512_cmp_ps_mask(F(a), F(b), p))
#define TABLE(t) CASE(ternarylogic_epi32 t, put(out, _mm512_ternarylogic_epi32(I(a), I(b), I(c), t)))
#define ROUND(m) CASE(roundscale_ps m, put(out, _mm512_roundscale_ps(F(a), m)))

#if defined(__AVXVNNI__)
void both_halves(const Inputs& in, Output& out) {
  for (int half = 0; half < 64; half += 32) {
    const auto sums = _mm256_dpbusd_avx_epi32(get<__m256i>(in.a + half), get<__m256i>(in.b + half), get<__m256i>(in.c + half));
    std::memcpy(out.bits + half, &sums, 32);
  }
}
#endif

const Case all[] = {
#if defined(__AVXVNNI__)
    CASE(dpbusd_avx_epi32, both_halves(in, out)),
#endif
    FLOAT2(add_ps),
    FLOAT2(sub_ps),
    FLOAT2(mul_ps),
    FLOAT2(div_ps),
    FLOAT2(max_ps),
    FLOAT2(min_ps),
    FLOAT2(unpacklo_ps),
    FLOAT2(unpackhi_ps),
    FLOAT1(sqrt_ps),
    FLOAT1(abs_ps),
    FLOAT3(fmadd_ps),
    FLOAT3(fmsub_ps),
    FLOAT3(fnmadd_ps),
    FLOAT3(fnmsub_ps),
    BINARY(add_epi8),
    BINARY(add_epi16),
    BINARY(add_epi32),
    BINARY(sub_epi8),
    BINARY(sub_epi16),
    BINARY(sub_epi32),
    BINARY(adds_epi16),
    BINARY(subs_epi16),
    BINARY(adds_epu8),
    BINARY(subs_epu8),
    BINARY(mullo_epi16),
    BINARY(mullo_epi32),
    BINARY(mulhi_epi16),
    BINARY(mulhrs_epi16),
    BINARY(madd_epi16),
    BINARY(maddubs_epi16),
    BINARY(min_epi8),
    BINARY(min_epi16),
    BINARY(min_epi32),
    BINARY(max_epu8),
    BINARY(max_epi16),
    BINARY(max_epi32),
    BINARY(packs_epi16),
    BINARY(packs_epi32),
    BINARY(packus_epi16),
    BINARY(packus_epi32),
    BINARY(unpacklo_epi8),
    BINARY(unpackhi_epi8),
    BINARY(unpacklo_epi32),
    BINARY(unpackhi_epi64),
    BINARY(shuffle_epi8),
    BINARY(sllv_epi32),
    BINARY(srlv_epi32),
    BINARY(srav_epi32),
    UNARY(abs_epi8),
    UNARY(abs_epi32),
    WITH(slli_epi16, 3),
    WITH(slli_epi16, 17),
    WITH(slli_epi32, 16),
    WITH(srli_epi16, 6),
    WITH(srli_epi32, 24),
    WITH(srai_epi16, 3),
    WITH(srai_epi32, 40),
    BINARY(andnot_si512),
    TABLE(0xea),
    TABLE(0xca),
    TABLE(0x96),
    TABLE(0x1d),
    COMPARE(cmplt_epi32),
    COMPARE(cmpgt_epu8),
    COMPARE(cmpeq_epi16),
    COMPARE(cmpneq_epi32),
    COMPARE(cmple_epi8),
    COMPARE(cmpge_epu32),
    PREDICATE(0),
    PREDICATE(1),
    PREDICATE(2),
    PREDICATE(3),
    PREDICATE(4),
    PREDICATE(5),
    PREDICATE(6),
    PREDICATE(7),
    PREDICATE(8),
    PREDICATE(9),
    PREDICATE(10),
    PREDICATE(11),
    PREDICATE(12),
    PREDICATE(13),
    PREDICATE(14),
    PREDICATE(15),
    PREDICATE(17),
    PREDICATE(30),
    CASE(mask_mov_ps, put(out, _mm512_mask_mov_ps(F(a), get<__mmask16>(in.c), F(b)))),
    CASE(maskz_mov_ps, put(out, _mm512_maskz_mov_ps(get<__mmask16>(in.c), F(b)))),
    CASE(mask_mov_epi8, put(out, _mm512_mask_mov_epi8(I(a), get<__mmask64>(in.c), I(b)))),
    CASE(maskz_loadu_ps, put(out, _mm512_maskz_loadu_ps(get<__mmask16>(in.c), in.b))),
    CASE(mask_storeu_ps, _mm512_mask_storeu_ps(out.bits, get<__mmask16>(in.c), F(b))),
    BINARY(permutexvar_epi16),
    BINARY(permutexvar_epi32),
    TERNARY(permutex2var_epi16),
    TERNARY(permutex2var_epi32),
    CASE(shuffle_i32x4, put(out, _mm512_shuffle_i32x4(I(a), I(b), 0x8d))),
    CASE(alignr_epi8 5, put(out, _mm512_alignr_epi8(I(a), I(b), 5))),
    CASE(alignr_epi8 21, put(out, _mm512_alignr_epi8(I(a), I(b), 21))),
    CASE(extracti32x4_epi32, put(out, _mm512_extracti32x4_epi32(I(a), 2))),
    CASE(inserti64x4, put(out, _mm512_inserti64x4(I(a), get<__m256i>(in.b), 1))),
    CASE(broadcast_i32x4, put(out, _mm512_broadcast_i32x4(get<__m128i>(in.a)))),
    NARROW(cvtepi8_epi32, __m128i),
    NARROW(cvtepu8_epi32, __m128i),
    NARROW(cvtepi16_epi32, __m256i),
    NARROW(cvtepu16_epi32, __m256i),
    NARROW(cvtepi8_epi16, __m256i),
    NARROW(cvtepu8_epi16, __m256i),
    UNARY(cvtepi32_epi8),
    UNARY(cvtsepi32_epi8),
    UNARY(cvtusepi32_epi8),
    UNARY(cvtepi32_epi16),
    UNARY(cvtsepi32_epi16),
    UNARY(cvtusepi32_epi16),
    UNARY(cvtepi16_epi8),
    UNARY(cvtsepi16_epi8),
    UNARY(cvtusepi16_epi8),
    UNARY(cvtepi32_ps),
    FLOAT1(cvtps_epi32),
    FLOAT1(cvttps_epi32),
    NARROW(cvtph_ps, __m256i),
    CASE(cvtps_ph, put(out, _mm512_cvtps_ph(F(a), 0))),
    ROUND(8),
    ROUND(9),
    ROUND(10),
    ROUND(11),
    ROUND(0x38),
    CASE(scalef_ps, put(out, _mm512_scalef_ps(F(a), _mm512_cvtepi32_ps(_mm512_srai_epi32(I(b), 23))))),
    CASE(reduce_add_ps, put(out, _mm512_reduce_add_ps(F(a)))),
    CASE(reduce_max_ps, put(out, _mm512_reduce_max_ps(_mm512_cvtepi32_ps(I(a))))),
    CASE(reduce_add_epi32, put(out, _mm512_reduce_add_epi32(I(a)))),
    TERNARY(dpbusd_epi32),
    TERNARY(dpbusds_epi32),
    TERNARY(dpwssd_epi32),
#if defined(__AVX512BF16__)
    BINARY(permutexvar_epi8),
    TERNARY(permutex2var_epi8),
    FLOAT1(cvtneps_pbh),
    FLOAT2(cvtne2ps_pbh),
    CASE(dpbf16_ps, put(out, _mm512_dpbf16_ps(F(a), B(b), B(c)))),
#endif
#if defined(__AVX512FP16__)
    HALF2(add_ph),
    HALF2(sub_ph),
    HALF2(mul_ph),
    CASE(fmadd_ph, put(out, _mm512_fmadd_ph(H(a), H(b), H(c)))),
    UNARY(cvtepu16_ph),
    UNARY(cvtepi16_ph),
#endif
};

#if defined(__AMX_BF16__)

struct alignas(64) Config {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// c [3][4] += a [3][10 or 20] b: one row of four sums is seen of each row that counts.
template <class Product>
void tiles(const Inputs& in, Output& out, Product product) {
  Config config;
  config.rows[0] = config.rows[1] = 3, config.rows[2] = 5;
  config.row_bytes[0] = 16, config.row_bytes[1] = 20, config.row_bytes[2] = 16;
  _tile_loadconfig(&config);
  _tile_loadd(0, in.a, 16);
  _tile_loadd(1, in.b, 20);
  _tile_loadd(2, in.c, 12);
  product();
  _tile_stored(0, out.bits, 20);
  _tile_release();
}
#define TILES(name) CASE(name, tiles(in, out, [] { _tile_##name(0, 1, 2); }))
const Case of_tiles[] = {TILES(dpbf16ps), TILES(dpbssd), TILES(dpbsud), TILES(dpbusd), TILES(dpbuud)};

#endif

}  // namespace

std::span<const Case> cases() { return all; }

#if defined(__AMX_BF16__)
std::span<const Case> tile_cases() { return of_tiles; }
#endif

}  // namespace longra::LONGRA_CHECK
