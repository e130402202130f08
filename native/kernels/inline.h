// What the functions of these headers are declared as, and what all of them need.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(LONGRA_INLINE)
// Builds for checks compile sooner without forced inlining.
#else
#define LONGRA_INLINE static inline __attribute__((always_inline))
#endif
