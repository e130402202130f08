// Superblocks to panels: 32 k of 16 rows as float lines [k][16], or as a bf16 tile [k pair][16 rows][2].
#pragma once
#include "../runtime/formats.h"
#include "simd.h"

namespace longra::LONGRA_ISA {

// The eight operands (u8 codes, one lane a row) of half a superblock; see formats.h.
template <class L>
LONGRA_INLINE void unpack_half(const uint8_t* p, int half, Ints (&w)[8]) {
  if constexpr (L::bits == 8) {
    for (int o = 0; o < 8; o++) w[o] = load_line(p + half * 512 + o * 64);
    return;
  } else {
    const Ints low = splat_int(0x0f0f0f0f);
    for (int j = 0; j < 4; j++) {
      const Ints line = load_line(p + half * 256 + j * 64);
      w[2 * j] = line & low;
      w[2 * j + 1] = right16<4>(line) & low;
    }
    if constexpr (L::bits == 5) {
      const Ints high = load_line(p + 512 + half * 64), bit = splat_int(0x10101010);
      w[0] = w[0] | (left16<4>(high) & bit);
      w[1] = w[1] | (left16<3>(high) & bit);
      w[2] = w[2] | (left16<2>(high) & bit);
      w[3] = w[3] | (left16<1>(high) & bit);
      w[4] = w[4] | (high & bit);
      w[5] = w[5] | (right16<1>(high) & bit);
      w[6] = w[6] | (right16<2>(high) & bit);
      w[7] = w[7] | (right16<3>(high) & bit);
    }
    if constexpr (L::bits == 6) {
      const Ints bits = splat_int(0x30303030);
      for (int h = 0; h < 2; h++) {
        const Ints high = load_line(p + 512 + half * 128 + h * 64);
        w[4 * h] = w[4 * h] | (left16<4>(high) & bits);
        w[4 * h + 1] = w[4 * h + 1] | (left16<2>(high) & bits);
        w[4 * h + 2] = w[4 * h + 2] | (high & bits);
        w[4 * h + 3] = w[4 * h + 3] | (right16<2>(high) & bits);
      }
    }
    if constexpr (L::has_table)
      for (int o = 0; o < 8; o++) w[o] = look_up(kTable, w[o]);
  }
}

// Half a superblock as float lines [32 k][16 rows], times kUnit.
template <Format F>
static void unpack_floats(const uint8_t* p, int half, float* out) {
  if constexpr (F == Format::F32) {
    memcpy(out, p + half * 2048, 2048);
  } else if constexpr (F == Format::B16) {
    for (int pair = 0; pair < 16; pair++) {
      const Ints line = load_line(p + half * 1024 + pair * 64);
      store(out + pair * 32, low_bf16(line));
      store(out + pair * 32 + 16, high_bf16(line));
    }
  } else {
    using L = LayoutOf<F>;
    constexpr int per_half = 32 / L::group;
    Ints w[8];
    unpack_half<L>(p, half, w);
    Floats scale[per_half], base[per_half];
    for (int g = 0; g < per_half; g++) {
      const int at = (half * per_half + g) * 16;
      scale[g] = load_half((const uint16_t*)(p + L::scales_at) + at) * splat(kUnit);
      base[g] = splat(-(float)L::zero) * scale[g];
      if constexpr (L::has_offset) base[g] = fma(load_half((const uint16_t*)(p + L::offsets_at) + at), splat(kUnit), base[g]);
    }
    const Ints byte = splat_int(255);
    for (int o = 0; o < 8; o++) {
      const int g = o * 4 / L::group;
      store(out + input_of(o, 0) * 16, fma(to_floats(w[o] & byte), scale[g], base[g]));
      store(out + input_of(o, 1) * 16, fma(to_floats(right32<8>(w[o]) & byte), scale[g], base[g]));
      store(out + input_of(o, 2) * 16, fma(to_floats(right32<16>(w[o]) & byte), scale[g], base[g]));
      store(out + input_of(o, 3) * 16, fma(to_floats(right32<24>(w[o])), scale[g], base[g]));
    }
  }
}

// The instance of F for a format that is known only at run time.
template <template <Format> class F>
auto pick(Format format) {
  switch (format) {
    case Format::Q4: return &F<Format::Q4>::call;
    case Format::Q4Offset: return &F<Format::Q4Offset>::call;
    case Format::Q4Fine: return &F<Format::Q4Fine>::call;
    case Format::Q4FineOffset: return &F<Format::Q4FineOffset>::call;
    case Format::Q4Table: return &F<Format::Q4Table>::call;
    case Format::Q5: return &F<Format::Q5>::call;
    case Format::Q5Offset: return &F<Format::Q5Offset>::call;
    case Format::Q6Fine: return &F<Format::Q6Fine>::call;
    case Format::Q8: return &F<Format::Q8>::call;
    case Format::B16: return &F<Format::B16>::call;
    default: return &F<Format::F32>::call;
  }
}

template <Format F>
struct UnpackFloats {
  static void call(const uint8_t* p, int half, float* out) { unpack_floats<F>(p, half, out); }
};

#if defined(__AMX_BF16__)

// Half a superblock as a bf16 tile, values times kTileScale of the format.
//
// In half precision q becomes w = q * scale + base with one rounding; a half shifted right by three is a bf16 of 2^-112
// times the value, since both have their exponent below the sign (`mulhrs` shifts and rounds). Activations carry the missing power of two.
template <Format F>
static void unpack_tile(const uint8_t* p, int half, uint16_t* out) {
  if constexpr (F == Format::B16) {
    memcpy(out, p + half * 1024, 1024);
  } else if constexpr (F != Format::F32) {  // float32 weights take the float product
    using L = LayoutOf<F>;
    constexpr int per_half = 32 / L::group;
    alignas(64) static constexpr uint16_t twice[32] = {0, 0, 1, 1, 2,  2,  3,  3,  4,  4,  5,  5,  6,  6,  7,  7,
                                                       8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15};
    const __m512i both = _mm512_load_si512(twice);
    auto per_row = [&](int at) {
      return _mm512_castsi512_ph(_mm512_permutexvar_epi16(both, _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i*)(p + at)))));
    };
    // Nibbles are set into the mantissa of 16, which makes them 16 + q without a conversion.
    constexpr bool nibbles = L::bits == 4 && !L::has_table;
    const __m512h zero = _mm512_set1_ph((_Float16)(nibbles ? -24 : -L::zero));
    __m512h scale[per_half], base[per_half];
    for (int g = 0; g < per_half; g++) {
      const int at = (half * per_half + g) * 32;
      scale[g] = per_row(L::scales_at + at);
      if constexpr (L::has_offset)
        base[g] = _mm512_fmadd_ph(scale[g], zero, per_row(L::offsets_at + at));
      else
        base[g] = _mm512_mul_ph(scale[g], zero);
    }
    const __m512i eighth = _mm512_set1_epi16(4096), keep = _mm512_set1_epi16((short)0x8fff);
    auto put = [&](int pair, __m512h q) {
      const int g = pair * 2 / L::group;
      const __m512i w = _mm512_castph_si512(_mm512_fmadd_ph(q, scale[g], base[g]));
      _mm512_store_si512(out + pair * 32, _mm512_and_si512(_mm512_mulhrs_epi16(w, eighth), keep));
    };
    if constexpr (nibbles) {
      const __m512i nibble = _mm512_set1_epi16(0x03c0), sixteen = _mm512_set1_epi16(0x4c00);
      auto set = [&](__m512i t) { return _mm512_castsi512_ph(_mm512_ternarylogic_epi32(t, nibble, sixteen, 0xea)); };
      for (int j = 0; j < 4; j++) {
        const __m512i line = _mm512_loadu_si512(p + half * 256 + j * 64);
        put(4 * j, set(_mm512_slli_epi16(line, 6)));
        put(4 * j + 1, set(_mm512_slli_epi16(line, 2)));
        put(4 * j + 2, set(_mm512_srli_epi16(line, 2)));
        put(4 * j + 3, set(_mm512_srli_epi16(line, 6)));
      }
    } else {
      Ints w[8];
      unpack_half<L>(p, half, w);
      const __m512i byte = _mm512_set1_epi16(255);
      for (int o = 0; o < 8; o++) {
        const int pair = 4 * (o / 2) + o % 2;
        put(pair, _mm512_cvtepu16_ph(_mm512_and_si512(w[o].v, byte)));
        put(pair + 2, _mm512_cvtepu16_ph(_mm512_srli_epi16(w[o].v, 8)));
      }
    }
  }
}

#endif

}  // namespace longra::LONGRA_ISA
