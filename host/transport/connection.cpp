// SPDX-License-Identifier: Apache-2.0
#include "host/transport/connection.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <future>
#include <optional>
#include <thread>

#include "host/transport/tunnel.h"

namespace roundhouse::host {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Protocol = asio::generic::stream_protocol;  // TCP or Unix
using Addresses = std::vector<Protocol::endpoint>;
using Step = HttpFailure::Step;

constexpr auto kGlance = std::chrono::milliseconds(50);  // between two looks at the cancellation

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{} s", time.count() / 1000);
}

struct Lookup {
  error_code error;
  Addresses addresses;
};

// In a thread that may be abandoned: the system's resolver cannot be told to stop.
std::future<Lookup> look_up(const std::string& host, std::uint16_t port) {
  std::packaged_task<Lookup()> task([host, port] {
    asio::io_context context;
    tcp::resolver resolver(context);
    Lookup found;
    for (const auto& entry : resolver.resolve(host, std::to_string(port), found.error))
      found.addresses.push_back(entry.endpoint());
    return found;
  });
  auto result = task.get_future();
  std::thread(std::move(task)).detach();
  return result;
}

}  // namespace

struct TlsTrust::Context {
  asio::ssl::context ssl{asio::ssl::context::tls_client};
};

TlsTrust::TlsTrust(std::string ca_file) : ca_file_(std::move(ca_file)) {
}

TlsTrust::~TlsTrust() = default;

TlsTrust::Context& TlsTrust::context() {
  if (context_) return *context_;
  auto context = std::make_unique<Context>();
  SSL_CTX_set_min_proto_version(context->ssl.native_handle(), TLS1_2_VERSION);
  error_code error;
  if (ca_file_.empty()) {
    context->ssl.set_default_verify_paths(error);
  } else {
    context->ssl.load_verify_file(ca_file_, error);
  }
  if (error) throw Error(RH_IO_ERROR, "certificates '" + ca_file_ + "': " + error.message());
  context->ssl.set_verify_mode(asio::ssl::verify_peer);
  context_ = std::move(context);
  return *context_;
}

class Connection::Implementation : public TunnelWire {
 public:
  Implementation(const Url& url, const std::optional<Proxy>& proxy, const HttpOptions& options,
                 TlsTrust& trust)
      : host_(options.unix_socket.empty() ? fmt::format("host '{}'", url.authority())
                                          : fmt::format("socket '{}'", options.unix_socket)),
        options_(options) {
    const std::string host = host_;
    if (proxy) host_ = fmt::format("proxy '{}'", proxy->url.authority());
    const Url& first = proxy ? proxy->url : url;
    Lookup found = !options.unix_socket.empty() ? Lookup{{}, {unix_endpoint()}}
                   : first.numeric_host()       ? Lookup{{}, {literal(first)}}
                                                : resolve(first);
    if (found.error || found.addresses.empty())
      throw HttpFailure(Step::name, host_ + ": " + (found.error ? found.error.message() : "has no address"));
    connect(found.addresses);
    if (proxy && url.secure()) open_tunnel(url, *proxy, host_, *this);
    if (proxy) host_ = host + " through " + host_;
    if (url.secure()) shake_hands(url, trust.context());
  }

  std::size_t read_some(char* data, std::size_t size) override {
    const auto into = asio::buffer(data, size);
    const Done done = await(options_.silence_timeout, Step::silence, "no answer for ", [&](auto handler) {
      if (secure_) {
        secure_->async_read_some(into, handler);
      } else {
        socket_.async_read_some(into, handler);
      }
    });
    if (done.error == asio::error::eof) return 0;
    if (done.error) throw HttpFailure(Step::cut, host_ + ": connection cut: " + done.error.message());
    return done.bytes;
  }

  void write_all(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto from = asio::buffer(bytes.data(), bytes.size());
      const Done done =
          await(options_.silence_timeout, Step::silence, "takes nothing for ", [&](auto handler) {
            if (secure_) {
              secure_->async_write_some(from, handler);
            } else {
              socket_.async_write_some(from, handler);
            }
          });
      if (done.error) throw HttpFailure(Step::cut, host_ + ": connection cut: " + done.error.message());
      bytes.remove_prefix(done.bytes);
    }
  }

  bool usable() {
    char byte = 0;
    const auto count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

 private:
  struct Done {
    error_code error;
    std::size_t bytes = 0;
  };

  bool cancelled() const { return options_.cancelled && options_.cancelled(); }

  [[noreturn]] void throw_cancelled() const {
    throw Error(RH_CANCELLED, "cancelled while talking to " + host_);
  }

  // Runs one asynchronous operation to its end, to the limit or to the cancellation.
  template <class Start>
  Done await(std::chrono::milliseconds limit, Step step, const std::string& what, Start start) {
    std::optional<Done> done;
    start([&done](const error_code& error, auto... bytes) {
      done = Done{error, 0};
      ((done->bytes = bytes), ...);
    });
    const auto deadline = Clock::now() + limit;
    context_.restart();
    while (!done) {
      const bool stop = cancelled();
      if (stop || Clock::now() >= deadline) {
        error_code ignored;
        socket_.close(ignored);
        while (!done)
          context_.run_one();
        if (stop) throw_cancelled();
        throw HttpFailure(step, host_ + ": " + what + seconds(limit));
      }
      context_.run_one_for(kGlance);
    }
    return *done;
  }

  static Protocol::endpoint literal(const Url& url) {
    return tcp::endpoint(asio::ip::make_address(url.host()), url.port());
  }

  Protocol::endpoint unix_endpoint() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string& path = options_.unix_socket;
    if (path.size() >= sizeof address.sun_path)
      throw Error(RH_INVALID_ARGUMENT,
                  fmt::format("{}: is longer than {} bytes", host_, sizeof address.sun_path - 1));
    std::memcpy(address.sun_path, path.data(), path.size());
    return {&address, sizeof address};
  }

  Lookup resolve(const Url& url) {
    auto result = look_up(url.host(), url.port());
    const auto deadline = Clock::now() + options_.connect_timeout;
    while (result.wait_for(kGlance) != std::future_status::ready) {
      if (cancelled()) throw_cancelled();
      if (Clock::now() >= deadline)
        throw HttpFailure(Step::name, host_ + ": no address found for " + seconds(options_.connect_timeout));
    }
    return result.get();
  }

  void connect(const Addresses& addresses) {
    for (std::size_t i = 0;; ++i) {
      const bool last = i + 1 == addresses.size();
      error_code ignored;
      socket_.close(ignored);
      try {
        const Done done = await(options_.connect_timeout, Step::connect, "no connection within ",
                                [&](auto handler) { socket_.async_connect(addresses[i], handler); });
        if (!done.error) break;
        if (last) throw HttpFailure(Step::connect, host_ + ": " + lower(done.error.message()));
      } catch (const HttpFailure&) {
        if (last) throw;
      }
    }
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
  }

  static std::string lower(std::string text) {
    if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
    return text;
  }

  void shake_hands(const Url& url, TlsTrust::Context& trust) {
    secure_.emplace(socket_, trust.ssl);
    SSL* ssl = secure_->native_handle();
    bool set = true;
    if (url.numeric_host()) {
      set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), url.host().c_str()) == 1;
    } else {
      set = SSL_set1_host(ssl, url.host().c_str()) == 1 &&
            SSL_set_tlsext_host_name(ssl, url.host().c_str()) == 1;
    }
    if (!set) throw Error(RH_INTERNAL, host_ + ": OpenSSL does not take the name");
    const Done done = await(options_.connect_timeout, Step::tls, "no TLS within ", [&](auto handler) {
      secure_->async_handshake(asio::ssl::stream_base::client, handler);
    });
    if (!done.error) return;
    const long verified = SSL_get_verify_result(ssl);
    if (verified == X509_V_OK)
      throw HttpFailure(Step::tls, host_ + ": no TLS: " + lower(done.error.message()));
    throw HttpFailure(Step::tls,
                      host_ + ": certificate is not trusted: " + X509_verify_cert_error_string(verified),
                      "if the certificate is right, name the file of its authority in SSL_CERT_FILE");
  }

  std::string host_;  // in messages: the one that is talked to
  const HttpOptions& options_;
  asio::io_context context_{1};
  Protocol::socket socket_{context_};
  std::optional<asio::ssl::stream<Protocol::socket&>> secure_;
};

Connection::Connection(const Url& url, const std::optional<Proxy>& proxy, const HttpOptions& options,
                       TlsTrust& trust)
    : implementation_(std::make_unique<Implementation>(url, proxy, options, trust)) {
}

Connection::~Connection() = default;

std::size_t Connection::read_some(char* data, std::size_t size) {
  return implementation_->read_some(data, size);
}

void Connection::write_all(std::string_view bytes) {
  implementation_->write_all(bytes);
}

bool Connection::usable() {
  return implementation_->usable();
}

}  // namespace roundhouse::host
