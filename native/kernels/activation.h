// Activation functions, sixteen values at a time.
#pragma once
#include "../runtime/kernels.h"
#include "simd.h"

namespace longra::LONGRA_ISA {

LONGRA_INLINE Floats sigmoid(Floats x) { return splat(1.0f) / (splat(1.0f) + exp2(x * splat(-1.44269504f))); }

// x sigmoid(x); x (1 + erf(x / sqrt 2)) / 2; its tanh form 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))); max(x, 0).
LONGRA_INLINE Floats activated(Activate kind, Floats x) {
  switch (kind) {
    case Activate::Silu: return x * sigmoid(x);
    case Activate::GeluTanh: return x * sigmoid(splat(1.5957691216f) * fma(splat(0.044715f) * x * x, x, x));
    case Activate::Relu: return max(x, zero());
    case Activate::Gelu: {  // erf by Abramowitz and Stegun 7.1.26, error below 1.5e-7
      const Floats z = abs(x) * splat(0.70710678f), t = splat(1.0f) / fma(splat(0.3275911f), z, splat(1.0f));
      Floats p = fma(splat(1.061405429f), t, splat(-1.453152027f));
      p = fma(p, t, splat(1.421413741f));
      p = fma(p, t, splat(-0.284496736f));
      p = fma(p, t, splat(0.254829592f)) * t * exp2(z * z * splat(-1.44269504f));
      // 1 + erf(z) for x >= 0, its complement below
      return splat(0.5f) * (x + abs(x) * (splat(1.0f) - p));
    }
  }
  return x;
}

// The same for results that are rounded to bf16.
LONGRA_INLINE Floats activated_briefly(Activate kind, Floats x) {
  if (kind != Activate::Silu) return activated(kind, x);
  return x / (splat(1.0f) + exp2_brief(x * splat(-1.44269504f)));
}

}  // namespace longra::LONGRA_ISA
