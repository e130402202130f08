#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>

namespace longra {

namespace {
constexpr size_t kHuge = 2u << 20;
constexpr size_t kRegion = 64u << 20;
constexpr size_t kSlack = 16u << 10;  // prefetches and whole-line loads may run past the last piece
size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }
}  // namespace

Region::Region(size_t bytes) : size_(bytes), mapped_(round_up(bytes, kHuge) + kHuge) {
  void* p = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  base_ = static_cast<uint8_t*>(p);
  data_ = reinterpret_cast<uint8_t*>(round_up(reinterpret_cast<uintptr_t>(p), kHuge));
#ifdef MADV_HUGEPAGE
  madvise(data_, round_up(bytes, kHuge), MADV_HUGEPAGE);
#endif
}

Region::~Region() { munmap(base_, mapped_); }

void give_back(uint8_t* begin, uint8_t* end) {
  static const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const uintptr_t first = round_up(reinterpret_cast<uintptr_t>(begin), page), last = reinterpret_cast<uintptr_t>(end) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

uint8_t* Arena::take(size_t bytes) {
  bytes = round_up(bytes, 64);
  if (bytes + kSlack > left_) {
    regions_.push_back(std::make_unique<Region>(std::max(kRegion, bytes + kSlack)));
    left_ = regions_.back()->size();
  }
  uint8_t* piece = regions_.back()->data() + (regions_.back()->size() - left_);
  left_ -= bytes;
  used_ += bytes;
  return piece;
}

}  // namespace longra
