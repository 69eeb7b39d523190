// SPDX-License-Identifier: Apache-2.0
// Texts in EXIF and XMP, which JPEG and WebP files carry in place of PNG's text chunks.
//
// EXIF: the text "parameters" as UserComment, in UTF-16 after "UNICODE\0", which is where A1111 and its
// readers have it. XMP: every other text as a property of a description, in a name space of this program.
// Formulas: CIPA DC-008 (Exif 2.32) 4.6.2 and 4.6.5; TIFF 6.0 section 2; XMP part 1, 7.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/images/image_format.h"

namespace roundhouse::host {

// A TIFF structure with the UserComment (without the "Exif\0\0" that JPEG has before it). Empty without a
// text "parameters".
std::string exif_of_texts(const ImageTexts& texts);

// An XMP packet of every other text. Empty without one. A keyword that is no XML name is left out, and so
// is what XML cannot hold (control characters).
std::string xmp_of_texts(const ImageTexts& texts);

// What exif_of_texts and xmp_of_texts wrote, and a UserComment of other programs (ASCII, UTF-16 in both
// orders, or UTF-8 without a mark). Hostile bytes give no text. Any thread.
ImageTexts texts_of_exif(std::string_view exif);
ImageTexts texts_of_xmp(std::string_view xmp);

// EXIF's Orientation, 1 to 8: how the stored image is to be turned to be looked at; 1 where there is none.
int orientation_of_exif(std::string_view exif);

}  // namespace roundhouse::host
