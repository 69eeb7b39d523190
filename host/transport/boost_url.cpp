// SPDX-License-Identifier: Apache-2.0
// Boost.URL's own code, compiled here once, since the library comes as headers.
#include <boost/url/src.hpp>
