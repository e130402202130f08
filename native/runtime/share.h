// How threads share out work: evenly beforehand, or as they come to it.
#pragma once
#include <atomic>
#include <cstdint>

namespace longra {

// The share [begin, end) of thread t when n things are dealt out in order, as evenly as they go.
struct Share {
  int begin, end;
};
inline Share share(int n, int thread, int threads) {
  return {static_cast<int>((int64_t)n * thread / threads), static_cast<int>((int64_t)n * (thread + 1) / threads)};
}

// n things for threads to take as they come to them, so that a thread whose core is slow or shared takes fewer. Every thread asks
// until there are no more; then the count starts anew.
class Deal {
 public:
  Deal(std::atomic<int>& taken, int n, int thread, int threads) : taken_(taken), n_(n), thread_(thread), threads_(threads) {}
  // The next one, or -1.
  int next() {
    const int i = taken_.fetch_add(1, std::memory_order_relaxed);
    if (i < n_) return i;
    if (i == n_ + threads_ - 1) taken_.store(0, std::memory_order_relaxed);  // the last thread that asked in vain
    return -1;
  }
  // The even share, for those who would rather not ask.
  Share own() const { return share(n_, thread_, threads_); }

 private:
  std::atomic<int>& taken_;
  int n_, thread_, threads_;
};

}  // namespace longra
