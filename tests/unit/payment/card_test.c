#include "payment-service/card.h"

#include "payment-service/card_brands.h"
#include "tests/unit/table.h"

/* Test numbers that gateways publish; each is its own label. */
static const struct published_row {
    const char *number;
    const char *brand;
    bool luhn_valid;
} published_rows[] = {
    { "4242424242424242", "visa", true },
    { "4000056655665556", "visa", true },
    { "5555555555554444", "mastercard", true },
    { "2223003122003222", "mastercard", true },
    { "5200828282828210", "mastercard", true },
    { "5105105105105100", "mastercard", true },
    { "378282246310005", "american-express", true },
    { "371449635398431", "american-express", true },
    { "6011111111111117", "discover", true },
    { "6011000990139424", "discover", true },
    { "6011981111111113", "discover", true },
    { "3056930009020004", "diners-club", true },
    { "36227206271667", "diners-club", true },
    { "6555900000604105", "discover", true },
    { "3566002020360505", "jcb", true },
    { "6200000000000005", "unionpay", true },
    { "6200000000000047", "unionpay", true },
    { "6205500000000000004", "unionpay", true },
    { "4000000000000002", "visa", true },
    { "4000000000009995", "visa", true },
    { "4000000000009987", "visa", true },
    { "4000000000009979", "visa", true },
    { "4000000000000069", "visa", true },
    { "4000000000000127", "visa", true },
    { "4000000000000119", "visa", true },
    { "4242424242424241", "visa", false },
    { "4000000000000259", "visa", true },
    { "4000002760003184", "visa", true },
    { "4000000000003220", "visa", true },
    { "4000000000000341", "visa", true },
    { "4000000000000077", "visa", true },
    { "5100081112223332", "mastercard", true },
    { "5100290029002909", "mastercard", true },
    { "5577000055770004", "mastercard", true },
    { "5136333333333335", "mastercard", true },
    { "5585558555855583", "mastercard", true },
    { "5555444433331111", "mastercard", true },
    { "5500000000000004", "mastercard", true },
    { "5424000000000015", "mastercard", true },
    { "4111111111111111", "visa", true },
    { "4988438843884305", "visa", true },
    { "4166676667666746", "visa", true },
    { "4646464646464644", "visa", true },
    { "4444333322221111", "visa", true },
    { "4400000000000008", "visa", true },
    { "4977949494949497", "visa", true },
    { "370000000000002", "american-express", true },
    { "4622943127013705", "visa", true },
    { "4622943127013713", "visa", true },
    { "2222420000001113", "mastercard", true },
    { "2222630000001125", "mastercard", true },
    { "3566111111111113", "jcb", true },
    { "50339619890917", "maestro", true },
    { "586824160825533338", "maestro", true },
    { "6759411100000008", "maestro", true },
    { "6759560045005727054", "maestro", true },
    { "4462030000000000", "visa", true },
    { "4111111111111105", "visa", false },
    { "4111111111111143", "visa", false },
    { "4111111111111151", "visa", false },
    { "5123450000000008", "mastercard", true },
    { "5111111111111118", "mastercard", true },
    { "4508750015741019", "visa", true },
    { "345678901234564", "american-express", true },
    { "3528000000000007", "jcb", true },
    { "5123456789012346", "mastercard", true },
    { "4440000042200014", "visa", true },
    { "5555555555555599", "mastercard", true },
    { "5168494895055780", "mastercard", true },
    { "4000001111111118", "visa", true },
    { "4444555511113333", "visa", true },
    { "4485040371536584", "visa", true },
    { "4544249167673670", "visa", true },
};

static void check_published(void **state)
{
    const struct published_row *row = *state;
    struct span number = span_of(row->number);

    assert_string_equal(card_brand(number), row->brand);
    assert_int_equal(card_luhn(number), row->luhn_valid);
    assert_int_equal(card_check_number(number), row->luhn_valid ? CARD_FINE : CARD_NUMBER_CHECK);
}

/* Where ranges meet, and where several hold a number. */
static const struct brand_row {
    const char *label;
    const char *number;
    const char *brand; /* NULL: none */
} brand_rows[] = {
    { "4 is Visa's", "4", "visa" },
    { "a range within it is Elo's", "4011780000000000", "elo" },
    { "its neighbour is not", "4011770000000000", "visa" },
    { "another is Naranja's", "4029180000000000", "naranja" },
    { "another is Maestro's", "4936980000000000", "maestro" },
    { "50 is no MasterCard", "5041760000000000", "maestro" },
    { "51 is", "5100000000000000", "mastercard" },
    { "55 is", "5599999999999999", "mastercard" },
    { "56 is Maestro's", "5600000000000000", "maestro" },
    { "a range within 51 to 55 is Naranja's", "5275720000000000", "naranja" },
    { "2221 is MasterCard's first new prefix", "2221000000000000", "mastercard" },
    { "2220 is nobody's", "2220999999999999", NULL },
    { "2720 is its last", "2720999999999999", "mastercard" },
    { "2721 is nobody's", "2721000000000000", NULL },
    { "2200 is Mir's", "2200000000000000", "mir" },
    { "2204 is, too", "2204999999999999", "mir" },
    { "2205 is nobody's", "2205000000000000", NULL },
    { "34 is American Express's", "340000000000000", "american-express" },
    { "35 below 3528 is nobody's", "3527999999999999", NULL },
    { "3528 is JCB's", "3528000000000000", "jcb" },
    { "3589 is, too", "3589999999999999", "jcb" },
    { "3590 is nobody's", "3590000000000000", NULL },
    { "305 is Diners Club's", "30599999999999", "diners-club" },
    { "306 is nobody's", "30600000000000", NULL },
    { "65 is Discover's", "6500000000000000", "discover" },
    { "a range within it is Troy's", "6500520000000000", "troy" },
    { "its neighbour is Elo's", "6500510000000000", "elo" },
    { "eight digits within it are Troy's", "6508370400000000", "troy" },
    { "the next eight are not", "6508370500000000", "discover" },
    { "of two ranges of six digits the narrower one is meant, Troy's", "6509230000000000", "troy" },
    { "and around it the wider one, Elo's", "6509220000000000", "elo" },
    { "of two others it is Verve's", "5060990000000000", "verve" },
    { "and around it Maestro's", "5060980000000000", "maestro" },
    { "6011 is Discover's", "6011000000000000", "discover" },
    { "6012 is Maestro's, as all else that begins with 6", "6012000000000000", "maestro" },
    { "644 is Discover's", "6440000000000000", "discover" },
    { "643 is not", "6430000000000000", "maestro" },
    { "620 is UnionPay's", "6200000000000000", "unionpay" },
    { "62183 is left out of its ranges", "6218300000000000", "maestro" },
    { "627780 is Elo's, between two of UnionPay's", "6277800000000000", "elo" },
    { "627781 is UnionPay's", "6277810000000000", "unionpay" },
    { "81 below 810 to 8171 is UnionPay's", "8100000000000000", "unionpay" },
    { "8172 is nobody's", "8172000000000000", NULL },
    { "637095 is Hiper's", "6370950000000000", "hiper" },
    { "606282 is Hipercard's", "6062820000000000", "hipercard" },
    { "0 is nobody's", "0000000000000000", NULL },
    { "1 is nobody's", "1000000000000000", NULL },
    { "7 is nobody's", "7000000000000000", NULL },
    { "9 is nobody's", "9000000000000000", NULL },
    { "9792 is Troy's", "9792000000000000", "troy" },
    { "no digits are nobody's", "", NULL },
    { "a prefix that is cut short is not taken for it", "22", NULL },
};

static void check_brand(void **state)
{
    const struct brand_row *row = *state;
    const char *brand = card_brand(span_of(row->number));

    if (row->brand && brand)
        assert_string_equal(brand, row->brand);
    else
        assert_ptr_equal(brand, row->brand);
}

static const struct number_row {
    const char *label;
    const char *number;
    enum card_flaw flaw;
} number_rows[] = {
    { "no digits are too few", "", CARD_NUMBER_LENGTH },
    { "11 digits are too few", "50000000003", CARD_NUMBER_LENGTH },
    { "12 digits are Maestro's shortest", "500000000009", CARD_FINE },
    { "19 digits are its longest", "5000000000000000005", CARD_FINE },
    { "20 digits are too many", "50000000000000000009", CARD_NUMBER_LENGTH },
    { "13 digits are none of Visa's any more", "4222222222222", CARD_NUMBER_LENGTH },
    { "18 digits are", "424242424242424242", CARD_FINE },
    { "17 digits are not", "42424242424242426", CARD_NUMBER_LENGTH },
    { "16 digits are none of American Express's", "3782822463100003", CARD_NUMBER_LENGTH },
    { "blanks between digits are refused", "4242 4242 4242 4242", CARD_NUMBER_NOT_DIGITS },
    { "blanks around them are refused", " 4242424242424242", CARD_NUMBER_NOT_DIGITS },
    { "dashes are refused", "4242-4242-4242-4242", CARD_NUMBER_NOT_DIGITS },
    { "letters are refused", "424242424242424a", CARD_NUMBER_NOT_DIGITS },
    { "a sign is refused", "+424242424242424", CARD_NUMBER_NOT_DIGITS },
    { "digits of another script are refused",
      "\xd9\xa4\xd9\xa2"
      "42424242424242",
      CARD_NUMBER_NOT_DIGITS },
    { "the last digit mistyped is refused", "4242424242424243", CARD_NUMBER_CHECK },
    { "two neighbours swapped are refused", "2442424242424242", CARD_NUMBER_CHECK },
    { "zeros are nobody's", "0000000000000000", CARD_BRAND_UNKNOWN },
    { "ones of nobody are nobody's", "1111111111111117", CARD_BRAND_UNKNOWN },
};

static void check_number(void **state)
{
    const struct number_row *row = *state;

    assert_int_equal(card_check_number(span_of(row->number)), row->flaw);
}

static const struct expiry_row {
    const char *label;
    int64_t month, year;
    const char *now;
    enum card_flaw flaw;
} expiry_rows[] = {
    { "this month is fine", 3, 2030, "2030-03-15T00:00:00Z", CARD_FINE },
    { "the last month has passed", 2, 2030, "2030-03-15T00:00:00Z", CARD_EXPIRED },
    { "the next month is fine", 4, 2030, "2030-03-15T00:00:00Z", CARD_FINE },
    { "January of next year is fine", 1, 2031, "2030-12-15T00:00:00Z", CARD_FINE },
    { "December of last year has passed", 12, 2029, "2030-01-15T00:00:00Z", CARD_EXPIRED },
    { "the last moment of the month in UTC is fine", 3, 2030, "2030-03-31T23:59:59.999Z",
      CARD_FINE },
    { "so is the last one in the last time zone", 3, 2030, "2030-04-01T11:59:59.999Z", CARD_FINE },
    { "the next one is not", 3, 2030, "2030-04-01T12:00:00Z", CARD_EXPIRED },
    { "nor at the end of a year", 12, 2030, "2031-01-01T12:00:00Z", CARD_EXPIRED },
    { "until then it is", 12, 2030, "2031-01-01T11:59:59.999Z", CARD_FINE },
    { "the 29th of February counts", 2, 2028, "2028-02-29T12:00:00Z", CARD_FINE },
    { "fifty years are fine", 12, 2080, "2030-03-15T00:00:00Z", CARD_FINE },
    { "fifty-one are too many", 1, 2081, "2030-03-15T00:00:00Z", CARD_EXPIRED },
    { "a year of two digits has passed", 12, 34, "2030-03-15T00:00:00Z", CARD_EXPIRED },
    { "no year has passed", 12, 0, "2030-03-15T00:00:00Z", CARD_EXPIRED },
    { "the first year there is has passed", 12, INT64_MIN, "2030-03-15T00:00:00Z", CARD_EXPIRED },
    { "the last one is too far away", 1, INT64_MAX, "2030-03-15T00:00:00Z", CARD_EXPIRED },
    { "there is no month 0", 0, 2031, "2030-03-15T00:00:00Z", CARD_EXPIRY_MONTH },
    { "there is no month 13", 13, 2031, "2030-03-15T00:00:00Z", CARD_EXPIRY_MONTH },
    { "there is no month before", -1, 2031, "2030-03-15T00:00:00Z", CARD_EXPIRY_MONTH },
    { "the least month there is none of", INT64_MIN, 2031, "2030-03-15T00:00:00Z",
      CARD_EXPIRY_MONTH },
    { "the largest neither", INT64_MAX, 2031, "2030-03-15T00:00:00Z", CARD_EXPIRY_MONTH },
    { "a month that is none is told before a year that has passed", 13, 1999,
      "2030-03-15T00:00:00Z", CARD_EXPIRY_MONTH },
};

static void check_expiry(void **state)
{
    const struct expiry_row *row = *state;
    struct instant now;

    assert_true(instant_parse(row->now, &now));
    assert_int_equal(card_check_expiry(row->month, row->year, now), row->flaw);
}

#define VISA   "4242424242424242"
#define AMEX   "378282246310005"
#define NOBODY "1111111111111117"

static const struct cvc_row {
    const char *label;
    const char *number, *cvc;
    enum card_flaw flaw;
} cvc_rows[] = {
    { "zeros are a code", VISA, "000", CARD_FINE },
    { "three digits are", VISA, "123", CARD_FINE },
    { "four are too many", VISA, "1234", CARD_CVC },
    { "two are too few", VISA, "12", CARD_CVC },
    { "none are too few", VISA, "", CARD_CVC },
    { "four digits are American Express's, with a zero in front", AMEX, "0123", CARD_FINE },
    { "three are too few for it", AMEX, "123", CARD_CVC },
    { "five are too many", AMEX, "12345", CARD_CVC },
    { "letters are none", VISA, "12a", CARD_CVC },
    { "a blank is none", VISA, " 12", CARD_CVC },
    { "a sign is none", VISA, "-12", CARD_CVC },
    { "three digits are fine while the brand is not known", NOBODY, "123", CARD_FINE },
    { "so are four", NOBODY, "1234", CARD_FINE },
    { "five are not", NOBODY, "12345", CARD_CVC },
    { "two are not", NOBODY, "12", CARD_CVC },
};

static void check_cvc(void **state)
{
    const struct cvc_row *row = *state;

    assert_int_equal(card_check_cvc(span_of(row->number), span_of(row->cvc)), row->flaw);
}

static const struct mask_row {
    const char *label;
    const char *number, *mask, *last4;
    int64_t digits;
} mask_rows[] = {
    { "16 digits leave 4", VISA, "************4242", "4242", 16 },
    { "15 digits leave 4", AMEX, "***********0005", "0005", 15 },
    { "12 digits leave 4", "500000000009", "********0009", "0009", 12 },
    { "19 digits leave 4", "5000000000000000005", "***************0005", "0005", 19 },
};

static void check_mask(void **state)
{
    const struct mask_row *row = *state;
    struct card card = { .exp_month = 3, .exp_year = 2031, .cvc = "123" };
    char mask[CARD_MASK_SIZE];

    text_copy(card.number, sizeof(card.number), row->number);
    struct card_face face = card_face(&card);
    card_mask(&face, mask);
    assert_string_equal(mask, row->mask);
    assert_string_equal(face.last4, row->last4);
    assert_int_equal(face.digits, row->digits);
    assert_string_equal(face.brand, card_brand(span_of(row->number)));
    assert_int_equal(face.exp_month, 3);
    assert_int_equal(face.exp_year, 2031);
    assert_string_equal(face.fingerprint, "");
}

static void a_wiped_card_has_neither_number_nor_code(UNUSED void **state)
{
    struct card card = { .number = "5000000000000000005", .cvc = "1234", .name = "J. Doe" };
    static const char zeros[CARD_NUMBER_MAX + 1];

    card_wipe(&card);
    assert_memory_equal(card.number, zeros, sizeof(card.number));
    assert_memory_equal(card.cvc, zeros, sizeof(card.cvc));
    assert_string_equal(card.name, "J. Doe");
}

static void every_flaw_has_a_code_and_a_sentence(UNUSED void **state)
{
    for (enum card_flaw flaw = CARD_FINE + 1; flaw < CARD_FLAW_COUNT; flaw++) {
        assert_non_null(card_flaw_code(flaw));
        assert_non_null(card_flaw_detail(flaw));
    }
    assert_string_equal(card_flaw_code(CARD_NUMBER_CHECK), "invalid_number");
    assert_string_equal(card_flaw_code(CARD_EXPIRED), "expired_card");
    assert_null(card_flaw_code(CARD_FINE));
}

static void each_changed_digit_breaks_the_check(UNUSED void **state)
{
    char number[] = VISA;

    for (size_t i = 0; number[i] != '\0'; i++) {
        const char was = number[i];
        for (char digit = '0'; digit <= '9'; digit++) {
            number[i] = digit;
            assert_int_equal(card_luhn(span_of(number)), digit == was);
        }
        number[i] = was;
    }
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, published_rows, check_published);
    TABLE_ADD_ROWS(&table, brand_rows, check_brand);
    TABLE_ADD_ROWS(&table, number_rows, check_number);
    TABLE_ADD_ROWS(&table, expiry_rows, check_expiry);
    TABLE_ADD_ROWS(&table, cvc_rows, check_cvc);
    TABLE_ADD_ROWS(&table, mask_rows, check_mask);
    TABLE_ADD(&table, a_wiped_card_has_neither_number_nor_code);
    TABLE_ADD(&table, every_flaw_has_a_code_and_a_sentence);
    TABLE_ADD(&table, each_changed_digit_breaks_the_check);
    return table_run(&table);
}
