// Memory for weights and caches: large, 64-byte aligned, zeroed by the system, on huge pages where it gives them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace longra {

// An address range that takes memory when it is first written. Throws std::bad_alloc.
class Region {
 public:
  explicit Region(size_t bytes);
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  uint8_t* base_;
  uint8_t* data_;
  size_t size_, mapped_;
};

// Give memory back that a region took between two addresses: whole pages of the system, which read as zeros afterwards.
void give_back(uint8_t* begin, uint8_t* end);

// Hands out pieces in order, so that what a step reads one after the other lies one after the other.
class Arena {
 public:
  uint8_t* take(size_t bytes);
  size_t used() const { return used_; }

 private:
  std::vector<std::unique_ptr<Region>> regions_;
  size_t left_ = 0, used_ = 0;
};

}  // namespace longra
