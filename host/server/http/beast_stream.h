// SPDX-License-Identifier: Apache-2.0
// Names of Asio and Beast that the files of a connection share; no others include it.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <cstddef>

namespace roundhouse::host::http {

using Protocol = boost::asio::generic::stream_protocol;  // TCP or Unix
using WireStream = boost::beast::basic_stream<Protocol>;
template <typename T>
using Task = boost::asio::awaitable<T>;

constexpr auto kResume = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::size_t kPiece = std::size_t{64} << 10;  // bytes that are read or written at once

}  // namespace roundhouse::host::http
