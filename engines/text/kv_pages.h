// SPDX-License-Identifier: Apache-2.0
// Where the keys and values of texts lie: pages of a pool, which texts that begin alike share.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "engines/kernels/kernels.h"

namespace engines {

// The shape of the pages of one model. A page holds kPageTokens tokens: of each layer their keys, then their
// values.
struct PageShape {
  std::int64_t layers = 0, width = 0;  // of the keys of one token in one layer
  Dtype dtype = Dtype::f16;            // f32 or f16

  static constexpr std::int64_t kPageTokens = 32;
  std::int64_t row_bytes() const { return bytes_of(dtype, width); }
  std::int64_t page_bytes() const { return 2 * layers * kPageTokens * row_bytes(); }
  static std::int64_t pages(std::int64_t tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }
};

// Some of the memory that comes back to it is given out again. Any thread may give back.
class PagePool : public std::enable_shared_from_this<PagePool> {
 public:
  // `limit`: in bytes, of all pages that are held at once; 0: none.
  PagePool(const PageShape& shape, std::uint64_t limit);
  ~PagePool();
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  const PageShape& shape() const { return shape_; }
  // Its memory is not set. Throws OUT_OF_MEMORY.
  std::shared_ptr<std::byte> take();
  std::uint64_t held_bytes() const;

 private:
  void give_back(std::byte* page) noexcept;

  PageShape shape_;
  std::uint64_t limit_;
  mutable std::mutex mutex_;
  std::uint64_t held_ = 0;          // bytes given out
  std::vector<std::byte*> unused_;  // pages that came back
};

// The pages of one text. Copies share them; who writes to a page that another holds gets its own first.
class PagedText {
 public:
  explicit PagedText(std::shared_ptr<PagePool> pool) : pool_(std::move(pool)) {}

  std::int64_t size() const { return size_; }
  std::int64_t room() const { return static_cast<std::int64_t>(pages_.size()) * PageShape::kPageTokens; }
  // Makes room for `more` tokens behind those that it holds, in pages that no other text holds; size stays.
  // Throws OUT_OF_MEMORY: it is then as before, but for memory.
  void reserve(std::int64_t more);
  // Writes the rows of tokens `first`, first + 1, ..., for which there is room.
  void write(std::int64_t layer, std::int64_t first, ConstRows keys, ConstRows values);
  void advance(std::int64_t tokens) { size_ += tokens; }
  void truncate(std::int64_t tokens);

  // Of the first `tokens` tokens, as written; valid until reserve or truncate.
  PagedKeys seen(std::int64_t layer, std::int64_t tokens);

 private:
  std::shared_ptr<PagePool> pool_;
  std::vector<std::shared_ptr<std::byte>> pages_;
  std::vector<const std::byte*> places_;  // of the pages
  std::int64_t size_ = 0;
};

}  // namespace engines
