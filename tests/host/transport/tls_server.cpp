// SPDX-License-Identifier: Apache-2.0
#include "tests/host/transport/tls_server.h"

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace roundhouse::test {

namespace asio = boost::asio;
using asio::ip::tcp;

class TlsServer::Implementation {
 public:
  Implementation(const std::filesystem::path& certificate, const std::filesystem::path& key,
                 std::string answer)
      : answer_(std::move(answer)), acceptor_(context_, {asio::ip::address_v4::loopback(), 0}) {
    ssl_.use_certificate_chain_file(certificate);
    ssl_.use_private_key_file(key, asio::ssl::context::pem);
    thread_ = std::thread([this] { serve(); });
  }
  ~Implementation() {
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void serve() {
    for (;;) {
      boost::system::error_code error;
      tcp::socket socket = acceptor_.accept(error);
      if (error) return;
      asio::ssl::stream<tcp::socket> stream(std::move(socket), ssl_);
      stream.handshake(asio::ssl::stream_base::server, error);
      std::string request;
      if (!error) asio::read_until(stream, asio::dynamic_buffer(request), "\r\n\r\n", error);
      if (!error) asio::write(stream, asio::buffer(answer_), error);
      if (!error) stream.shutdown(error);
    }
  }

  const std::string answer_;
  asio::io_context context_;
  asio::ssl::context ssl_{asio::ssl::context::tls_server};
  tcp::acceptor acceptor_;
  std::thread thread_;
};

TlsServer::TlsServer(const std::filesystem::path& certificate, const std::filesystem::path& key,
                     std::string answer)
    : implementation_(std::make_unique<Implementation>(certificate, key, std::move(answer))) {
}

TlsServer::~TlsServer() = default;

std::uint16_t TlsServer::port() const {
  return implementation_->port();
}

}  // namespace roundhouse::test
