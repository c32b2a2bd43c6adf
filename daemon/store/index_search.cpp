#include "store/index_search.h"

#include <sqlite3.h>

namespace dutybook::store {
namespace {

Result<fts5_api*> api_of(Database& db) {
    fts5_api* api = nullptr;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db.handle(), "SELECT fts5(?1)", -1, &statement, nullptr) == SQLITE_OK) {
        sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
        sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    if (api == nullptr) {
        return failure(Code::Internal, "cannot search", "SQLite was built without FTS5");
    }
    return api;
}

struct Words {
    std::string_view text;
    std::string expression;
};

int take_word(void* context, int, const char* token, int size, int, int end) {
    auto& words = *static_cast<Words*>(context);
    if (!words.expression.empty()) words.expression += " AND ";
    words.expression += '"';
    words.expression.append(token, static_cast<std::size_t>(size));
    words.expression += '"';
    const auto behind = static_cast<std::size_t>(end);
    if (behind < words.text.size() && words.text[behind] == '*') words.expression += " *";
    return SQLITE_OK;
}

}  // namespace

Result<std::string> search_expression(Database& db, std::string_view text,
                                      std::string_view kind_word) {
    TRY_ASSIGN(fts5_api * api, api_of(db));
    void* context = nullptr;
    fts5_tokenizer methods{};
    Fts5Tokenizer* tokenizer = nullptr;
    const char* arguments[] = {"remove_diacritics", "2"};
    if (api->xFindTokenizer(api, "unicode61", &context, &methods) != SQLITE_OK ||
        methods.xCreate(context, arguments, 2, &tokenizer) != SQLITE_OK) {
        return failure(Code::Internal, "cannot search", "the tokenizer is missing");
    }
    Words words{text, {}};
    const int status = methods.xTokenize(tokenizer, &words, FTS5_TOKENIZE_QUERY, text.data(),
                                         static_cast<int>(text.size()), take_word);
    methods.xDelete(tokenizer);
    if (status != SQLITE_OK) return failure(Code::Internal, "cannot split a search into words");
    if (!words.expression.empty() && !kind_word.empty()) {
        words.expression += " AND \"" + std::string(kind_word) + "\"";
    }
    return words.expression;
}

}  // namespace dutybook::store
