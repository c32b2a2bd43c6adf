#pragma once
// Names compared as people compare them.

#include <string>
#include <string_view>

namespace dutybook::worker {

// Folds case, accents, hyphens, apostrophes, points and a trailing generational suffix (Jr, Sr,
// II, III, IV): "Zoë O'Hara Jr." and "zoe ohara" are one. Words are joined by single spaces.
std::string fold_name(std::string_view utf8);
// The same for companies, parties and matters: "&" is "and", and a trailing Inc, LLC, Ltd, Corp,
// Co, LLP, PC, PLLC, GmbH, Company, Corporation, Incorporated, Limited and a leading "the" go.
std::string fold_company(std::string_view utf8);

}  // namespace dutybook::worker
