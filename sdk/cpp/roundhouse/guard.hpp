// SPDX-License-Identifier: Apache-2.0
// The wall at the C ABI: no exception passes it, every failure becomes a status code and a sentence.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

#include "roundhouse/base.h"
#include "roundhouse/error.hpp"
#include "roundhouse/floor.hpp"

namespace roundhouse {

// An exception of somebody else that brings a status code along; guard<T> translates it.
template <class T>
concept CodedException = requires(const T& error) {
  { error.code() } -> std::convertible_to<rh_status>;
  { error.what() } -> std::convertible_to<const char*>;
};

// How much of `text` fits into `room` bytes without cutting a UTF-8 character in two.
constexpr std::size_t utf8_prefix(std::string_view text, std::size_t room) {
  if (text.size() <= room) return text.size();
  std::size_t end = room;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return end;
}

// Fills the caller's record and returns the code that it wrote: RH_OK and unknown codes are no failures
// and become RH_ENGINE_INTERNAL. A record that is NULL or too small is left alone.
inline rh_status write_error(rh_error* error, rh_status code, std::string_view message) noexcept {
  if (code == RH_OK || !is_known(code)) code = RH_ENGINE_INTERNAL;
  if (message.empty()) message = "no message was given";
  if (error == nullptr || error->struct_size < floor_size<rh_error>) return code;
  const std::size_t length = utf8_prefix(message, sizeof error->message - 1);
  error->code = code;
  std::copy_n(message.data(), length, error->message);
  error->message[length] = '\0';
  return code;
}

namespace detail {

// "unexpected exception: " and what() without allocating: memory may be what ran out.
inline rh_status write_unexpected(rh_error* error, const char* what) noexcept {
  constexpr std::string_view prefix = "unexpected exception: ";
  char text[sizeof(rh_error::message) + 4];
  const std::size_t length = std::min(std::strlen(what), sizeof text - prefix.size());
  std::copy(prefix.begin(), prefix.end(), text);
  std::copy_n(what, length, text + prefix.size());
  return write_error(error, RH_ENGINE_INTERNAL, std::string_view(text, prefix.size() + length));
}

template <CodedException... Foreign>
struct Translator;

template <>
struct Translator<> {
  template <class Work>
  static rh_status run(rh_error* error, Work& work) noexcept {
    try {
      work();
      return RH_OK;
    } catch (const Error& failure) {
      return write_error(error, failure.code(), failure.what());
    } catch (const std::bad_alloc&) {
      return write_error(error, RH_OUT_OF_MEMORY, "an allocation failed");
    } catch (const std::exception& failure) {
      return write_unexpected(error, failure.what());
    } catch (...) {
      return write_unexpected(error, "not derived from std::exception");
    }
  }
};

template <CodedException First, CodedException... Rest>
struct Translator<First, Rest...> {
  template <class Work>
  static rh_status run(rh_error* error, Work& work) noexcept {
    rh_status status = RH_OK;
    auto inner = [&] {
      try {
        work();
      } catch (const First& failure) {
        status = write_error(error, failure.code(), failure.what());
      }
    };
    const rh_status outer = Translator<Rest...>::run(error, inner);
    return outer == RH_OK ? status : outer;
  }
};

}  // namespace detail

// Runs `work` and returns RH_OK, or turns what it throws into a code and a message: Error and the Foreign
// types with their own code, std::bad_alloc into OUT_OF_MEMORY, everything else into ENGINE_INTERNAL.
template <CodedException... Foreign, std::invocable Work>
rh_status guard(rh_error* error, Work&& work) noexcept {
  return detail::Translator<Foreign...>::run(error, work);
}

}  // namespace roundhouse
