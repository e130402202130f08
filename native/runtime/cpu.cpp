#include "cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace longra::cpu {

#if defined(__x86_64__)

uint32_t prepare_thread() {
  const uint32_t state = _mm_getcsr();
  _mm_setcsr(state | 0x8040);  // flush to zero, denormals are zero
  return state;
}
void restore_thread(uint32_t state) { _mm_setcsr(state); }

namespace {

struct Leaf {
  uint32_t a = 0, b = 0, c = 0, d = 0;
  explicit Leaf(uint32_t leaf, uint32_t sub = 0) { __get_cpuid_count(leaf, sub, &a, &b, &c, &d); }
};

uint64_t enabled_states() {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

struct Found {
  bool avx2, avx_vnni, avx512, vnni, bf16, fp16, vbmi, amx;
};

// Linux lends the tile registers on request, once for the process, before threads start (arch_prctl 0x1023, state 18).
bool ask_for_tiles() {
#if defined(__linux__)
  static const bool granted = syscall(SYS_arch_prctl, 0x1023, 18) == 0;
  return granted;
#else
  return false;
#endif
}

Found find() {
  const Leaf one(1), seven(7), seven1(7, 1);
  const bool saved = one.c >> 27 & 1;
  const uint64_t states = saved ? enabled_states() : 0;
  const bool ymm = (states & 0x6) == 0x6, zmm = (states & 0xe6) == 0xe6, tiles = (states & 0x60000) == 0x60000;
  Found f{};
  f.avx2 = ymm && (one.c >> 12 & 1) && (one.c >> 29 & 1) && (seven.b >> 5 & 1) && (seven.b >> 8 & 1);
  f.avx_vnni = f.avx2 && (seven1.a >> 4 & 1);
  f.avx512 = f.avx2 && zmm && (seven.b >> 16 & 1) && (seven.b >> 17 & 1) && (seven.b >> 30 & 1) && (seven.b >> 31 & 1);
  f.vnni = f.avx512 && (seven.c >> 11 & 1);
  f.bf16 = f.avx512 && (seven1.a >> 5 & 1);
  f.fp16 = f.avx512 && (seven.d >> 23 & 1);
  f.vbmi = f.avx512 && (seven.c >> 1 & 1);
  f.amx = tiles && (seven.d >> 22 & 1) && (seven.d >> 24 & 1) && (seven.d >> 25 & 1) && ask_for_tiles();
#ifdef LONGRA_EMULATE
  f.avx_vnni = f.avx512 = f.vnni = f.bf16 = f.fp16 = f.vbmi = f.amx = f.avx2;
#endif
  return f;
}

}  // namespace

std::vector<std::string> usable() {
  static const Found f = find();
  std::vector<std::string> sets;
#ifdef LONGRA_HAVE_AMX
  if (f.amx && f.vnni && f.bf16 && f.fp16 && f.vbmi) sets.push_back("amx");
#endif
#ifdef LONGRA_HAVE_AVX512_BF16
  if (f.vnni && f.bf16 && f.vbmi) sets.push_back("avx512_bf16");
#endif
#ifdef LONGRA_HAVE_AVX512
  if (f.vnni) sets.push_back("avx512");
#endif
#ifdef LONGRA_HAVE_AVX_VNNI
  if (f.avx_vnni) sets.push_back("avx_vnni");
#endif
#ifdef LONGRA_HAVE_AVX2
  if (f.avx2) sets.push_back("avx2");
#endif
  sets.push_back("portable");
  return sets;
}

std::vector<std::string> features() {
  static const Found f = find();
  std::vector<std::string> names;
  if (f.avx2) names.push_back("avx2+fma+f16c");
  if (f.avx_vnni) names.push_back("avx-vnni");
  if (f.avx512) names.push_back("avx512f+bw+dq+vl");
  if (f.vnni) names.push_back("avx512-vnni");
  if (f.bf16) names.push_back("avx512-bf16");
  if (f.fp16) names.push_back("avx512-fp16");
  if (f.vbmi) names.push_back("avx512-vbmi");
  if (f.amx) names.push_back("amx-tile+int8+bf16");
  return names;
}

#else

uint32_t prepare_thread() { return 0; }
void restore_thread(uint32_t) {}
std::vector<std::string> usable() { return {"portable"}; }
std::vector<std::string> features() { return {}; }

#endif

}  // namespace longra::cpu
