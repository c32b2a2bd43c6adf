#pragma once
// Full text over FTS5: what a person types becomes words by the same tokenizer that made the
// index, so that no character of his can be syntax.

#include "store/sqlite.h"

#include <string>
#include <string_view>

namespace dutybook::store {

// An FTS5 expression that all words must match; a word with "*" behind it matches as a prefix.
// Empty if there is no word in the text. `kind_word` is one more word, or empty.
Result<std::string> search_expression(Database& db, std::string_view text,
                                      std::string_view kind_word);

}  // namespace dutybook::store
