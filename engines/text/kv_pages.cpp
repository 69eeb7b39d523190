// SPDX-License-Identifier: Apache-2.0
#include "engines/text/kv_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <span>

#include "engines/tensor/error.h"

namespace engines {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kKept = 16;  // pages that wait for the next text

void write_row(std::byte* to, Dtype dtype, std::span<const float> row) {
  if (dtype == Dtype::f32) {
    std::memcpy(to, row.data(), row.size_bytes());
    return;
  }
  auto* const halves = reinterpret_cast<std::uint16_t*>(to);
  std::ranges::transform(row, halves, float_to_f16);
}

}  // namespace

PagePool::PagePool(const PageShape& shape, std::uint64_t limit) : shape_(shape), limit_(limit) {
  unused_.reserve(kKept);
}

PagePool::~PagePool() {
  for (std::byte* const page : unused_)
    std::free(page);
}

std::shared_ptr<std::byte> PagePool::take() {
  const auto bytes = static_cast<std::uint64_t>(shape_.page_bytes());
  std::byte* page = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    if (limit_ != 0 && held_ + bytes > limit_)
      throw Error(RH_OUT_OF_MEMORY, fmt::format("the cache of {} bytes is full", limit_));
    if (!unused_.empty()) {
      page = unused_.back();
      unused_.pop_back();
    } else {
      const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
      page = static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded));
      if (page == nullptr)
        throw Error(RH_OUT_OF_MEMORY, fmt::format("a page of {} bytes could not be allocated", bytes));
    }
    held_ += bytes;
  }
  return {page, [pool = shared_from_this()](std::byte* memory) { pool->give_back(memory); }};
}

void PagePool::give_back(std::byte* page) noexcept {
  const std::scoped_lock lock(mutex_);
  held_ -= static_cast<std::uint64_t>(shape_.page_bytes());
  if (unused_.size() < unused_.capacity())
    unused_.push_back(page);
  else
    std::free(page);
}

std::uint64_t PagePool::held_bytes() const {
  const std::scoped_lock lock(mutex_);
  return held_;
}

void PagedText::reserve(std::int64_t more) {
  const auto needed = static_cast<std::size_t>(PageShape::pages(size_ + more));
  const auto first = static_cast<std::size_t>(size_ / PageShape::kPageTokens);
  for (std::size_t i = first; i < std::min(needed, pages_.size()); ++i) {
    if (pages_[i].use_count() == 1) continue;
    std::shared_ptr<std::byte> own = pool_->take();
    std::memcpy(own.get(), pages_[i].get(), static_cast<std::size_t>(pool_->shape().page_bytes()));
    pages_[i] = std::move(own);
  }
  while (pages_.size() < needed)
    pages_.push_back(pool_->take());
}

void PagedText::write(std::int64_t layer, std::int64_t first, ConstRows keys, ConstRows values) {
  const PageShape& shape = pool_->shape();
  assert(keys.cols == shape.width && values.cols == shape.width && keys.rows == values.rows);
  for (std::int64_t r = 0; r < keys.rows; ++r) {
    const std::int64_t token = first + r;
    const std::int64_t in_page = token % PageShape::kPageTokens;
    std::byte* const row = pages_[static_cast<std::size_t>(token / PageShape::kPageTokens)].get() +
                           (2 * layer * PageShape::kPageTokens + in_page) * shape.row_bytes();
    write_row(row, shape.dtype, keys.row_span(r));
    write_row(row + PageShape::kPageTokens * shape.row_bytes(), shape.dtype, values.row_span(r));
  }
}

void PagedText::truncate(std::int64_t tokens) {
  assert(tokens >= 0 && tokens <= size_);
  size_ = tokens;
  pages_.resize(static_cast<std::size_t>(PageShape::pages(tokens)));
}

PagedKeys PagedText::seen(std::int64_t layer, std::int64_t tokens) {
  const PageShape& shape = pool_->shape();
  places_.clear();
  for (const auto& page : pages_)
    places_.push_back(page.get());
  const std::int64_t keys = 2 * layer * PageShape::kPageTokens * shape.row_bytes();
  return {places_.data(),
          keys,
          keys + PageShape::kPageTokens * shape.row_bytes(),
          shape.dtype,
          PageShape::kPageTokens,
          tokens,
          shape.width};
}

}  // namespace engines
