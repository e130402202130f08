// The cache in the order in which attention reads a span of it, prefetched in small even portions: memory is read while there is
// something to compute, and the lines of a portion do not hold up the loads behind them.
#pragma once
#include "../runtime/kernels.h"
#include "simd.h"

namespace longra::LONGRA_ISA {

// Pieces are the keys of each page of a span, their values, the keys of the pages after it.
class Ahead {
 public:
  Ahead() = default;  // nothing to read
  // steps: how often `step` will be called for a page, about.
  Ahead(const CacheShape& shape, const CacheView& cache, int first, int last, size_t steps)
      : shape_(&shape), cache_(&cache), first_(first), pages_(last - first), piece_(kPages - 1) {
    const int after = cache.count - last < kPages ? cache.count - last : kPages;
    portion_ = (shape.head_bytes() / 64 + steps - 1) / steps * 64;
    pieces_ = 2 * pages_ + after;
    next();
  }
  // A few lines: the processor can go on while they come.
  LONGRA_INLINE void step(Ahead& a) {
    for (const uint8_t* stop = a.at_ + a.portion_ < a.end_ ? a.at_ + a.portion_ : a.end_; a.at_ < stop; a.at_ += 64) prefetch_far(a.at_);
    if (a.at_ == a.end_) a.next();
  }

 private:
  static constexpr int kPages = 4;  // measured best of 2 to 8 with a matrix unit; without one 2 to 8 are alike

  void next() {
    if (++piece_ >= pieces_) return;
    const bool values = piece_ >= pages_ && piece_ < 2 * pages_;
    at_ = cache_->page(first_ + (piece_ < pages_ ? piece_ : piece_ - pages_)) + (values ? shape_->key_bytes() : 0);
    end_ = at_ + (values ? shape_->value_bytes() : shape_->key_bytes());
  }

  const CacheShape* shape_ = nullptr;
  const CacheView* cache_ = nullptr;
  int first_ = 0, pages_ = 0, piece_ = 0, pieces_ = 0;
  size_t portion_ = 0;
  const uint8_t *at_ = nullptr, *end_ = nullptr;
};

}  // namespace longra::LONGRA_ISA
