#include "kernels.h"

#include <cstring>

namespace longra {

#define LONGRA_DECLARE(isa)     \
  namespace isa {               \
  extern const Kernels kernels; \
  }
LONGRA_DECLARE(portable)
#ifdef LONGRA_HAVE_AVX2
LONGRA_DECLARE(avx2)
#endif
#ifdef LONGRA_HAVE_AVX_VNNI
LONGRA_DECLARE(avx_vnni)
#endif
#ifdef LONGRA_HAVE_AVX512
LONGRA_DECLARE(avx512)
#endif
#ifdef LONGRA_HAVE_AVX512_BF16
LONGRA_DECLARE(avx512_bf16)
#endif
#ifdef LONGRA_HAVE_AMX
LONGRA_DECLARE(amx)
#endif

const Kernels* kernels_named(const char* name) {
  const Kernels* built[] = {
#ifdef LONGRA_HAVE_AMX
      &amx::kernels,
#endif
#ifdef LONGRA_HAVE_AVX512_BF16
      &avx512_bf16::kernels,
#endif
#ifdef LONGRA_HAVE_AVX512
      &avx512::kernels,
#endif
#ifdef LONGRA_HAVE_AVX_VNNI
      &avx_vnni::kernels,
#endif
#ifdef LONGRA_HAVE_AVX2
      &avx2::kernels,
#endif
      &portable::kernels,
  };
  for (const Kernels* k : built)
    if (strcmp(k->name, name) == 0) return k;
  return nullptr;
}

}  // namespace longra
