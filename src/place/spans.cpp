#include "place/spans.h"

#include <algorithm>

namespace mpq::placing {

Spans::Spans(const Problem& problem) : problem_(problem) {
  add_up_segments();
  add_up_bytes();
}

void Spans::add_up_segments() {
  const auto size = static_cast<std::size_t>((problem_.segments + 1) * problem_.processor_count());
  seconds_.assign(size, 0);
  memory_.assign(size, 0);
  unsupported_.assign(size, 0);
  for (int i = 0; i < problem_.segments; ++i) {
    for (int p = 0; p < problem_.processor_count(); ++p) {
      const bool runs = problem_.time(i, p) < kNever;
      const double grows = i == 0 ? problem_.time(i, p) : problem_.time_behind(i - 1, i, p);
      seconds_[slot(i + 1, p)] = seconds_[slot(i, p)] + (runs ? grows : 0);
      unsupported_[slot(i + 1, p)] = unsupported_[slot(i, p)] + (runs ? 0 : 1);
      memory_[slot(i + 1, p)] = memory_[slot(i, p)] + problem_.bytes(i, p);
    }
  }
}

void Spans::add_up_bytes() {
  const int n = problem_.segments;
  const std::size_t cells = static_cast<std::size_t>(n + 1) * static_cast<std::size_t>(n + 1);
  in_bytes_.assign(cells, 0);
  out_bytes_.assign(cells, 0);
  for (const Handover& value : problem_.handovers) {
    if (value.producer < 0 || value.consumers.empty()) continue;
    const auto bytes = static_cast<double>(value.bytes);
    // It comes in where the span begins behind the producer and reaches a consumer, the first one at or behind `first`.
    for (int first = value.producer + 1; first <= value.consumers.back(); ++first) {
      const int reader = *std::lower_bound(value.consumers.begin(), value.consumers.end(), first);
      in_bytes_[cell(first, reader + 1)] += bytes;
    }
    // It goes out where the span holds the producer and ends before the last consumer.
    for (int first = 0; first <= value.producer; ++first) {
      out_bytes_[cell(first, value.producer + 1)] += bytes;
      out_bytes_[cell(first, value.consumers.back() + 1)] -= bytes;
    }
  }
  for (int first = 0; first < n; ++first) {
    for (int end = first + 1; end <= n; ++end) {
      in_bytes_[cell(first, end)] += in_bytes_[cell(first, end - 1)];
      out_bytes_[cell(first, end)] += out_bytes_[cell(first, end - 1)];
    }
  }
}

double Spans::compute(int first, int end, int processor) const {
  if (unsupported_[slot(end, processor)] != unsupported_[slot(first, processor)]) return kNever;
  const double memory = memory_[slot(end, processor)] - memory_[slot(first, processor)];
  if (memory > problem_.processors[static_cast<std::size_t>(processor)].memory_bytes) return kNever;
  return problem_.time(first, processor) + seconds_[slot(end, processor)] - seconds_[slot(first + 1, processor)];
}

double Spans::seconds(int first, int end, int processor) const {
  const Processor& p = problem_.processors[static_cast<std::size_t>(processor)];
  double total = compute(first, end, processor);
  if (first > 0) total += p.in_seconds + p.in_seconds_per_byte * in_bytes_[cell(first, end)];
  if (end < problem_.segments) total += p.out_seconds + p.out_seconds_per_byte * out_bytes_[cell(first, end)];
  return total;
}

}  // namespace mpq::placing
