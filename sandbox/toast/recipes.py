"""What sorts of order there are when all goes well: each recipe fills one order."""

from __future__ import annotations

from sandbox.clock import DAY, HOUR
from sandbox.pricing import WHOLE
from sandbox.toast.config import BAG, CITY, HOUSE, MARKETPLACE, STATE
from sandbox.toast.records import Body, Check
from sandbox.toast.till import PEOPLE, Till


def one(check: Check, source: str = "In Store", dining: str = "counter") -> Body:
    """An order of a single check."""
    return Body([check], source, dining=dining)


def plain(till: Till) -> Body:
    """One to four things, by card or in cash."""
    check = till.pay_either(till.check(till.goods()))
    if till.random.random() < 0.25:
        check.customer = till.random.randrange(PEOPLE)
    return one(check)


def modifiers(till: Till) -> Body:
    """Modifiers, free ones too, on several lines."""
    check = till.check([till.add_modifiers(till.item(), 2), till.item(), till.add_modifiers(till.item(), 4)])
    check.tab = "Robin Example"
    return one(till.pay_card(check, tip=True), dining="table")


def modifiers_deep(till: Till) -> Body:
    """Modifiers of modifiers of modifiers."""
    return one(till.pay_either(till.check([till.add_modifiers(till.taxed_item(), 2, depth=3)])))


def item_discounts(till: Till) -> Body:
    """Discounts on single lines."""
    lines = [till.item(), till.taxed_item(), till.item(quantity=2 * WHOLE)]
    lines[0].discounts = [till.discount("dayold")]
    lines[1].discounts = [till.discount("sorry", 50)]
    lines[2].discounts = [till.discount("bogo", lines[2].unit_minor)]
    return one(till.pay_cash(till.check(lines)))


def check_discounts(till: Till) -> Body:
    """Discounts on the whole check, which the lines' prices contain."""
    discounts = [till.discount("staff"), till.discount("voucher")]
    lines = [*till.goods(), till.add_modifiers(till.taxed_item(), 1)]
    return one(till.pay_card(till.check(lines, discounts=discounts)))


def all_discounts(till: Till) -> Body:
    """Discounts on a line and on the check, beside a loyalty reward that was taken back."""
    lines = [till.taxed_item(), till.item()]
    lines[0].discounts = [till.discount("dayold")]
    discounts = [till.discount("staff"), till.discount("loyalty", state="VOID")]
    return one(till.pay_card(till.check(lines, discounts=discounts), tip=True))


def on_the_house(till: Till) -> Body:
    """Nothing is left to pay."""
    return one(till.close(till.check(till.goods(), discounts=[till.discount("house")])))


def tax_inclusive(till: Till) -> Body:
    """Prices contain the tax."""
    lines = [till.item(taxes=(HOUSE,), is_inclusive=True) for _ in range(2)]
    lines[0].discounts = [till.discount("dayold")]
    return one(till.pay_either(till.check(lines)))


def tax_mixed(till: Till) -> Body:
    """One price contains its tax, the other does not; the check's discount concerns both."""
    lines = [till.item(taxes=(HOUSE,), is_inclusive=True), till.taxed_item()]
    return one(till.pay_either(till.check(lines, discounts=[till.discount("staff")])))


def taxes_exact(till: Till) -> Body:
    """Applied taxes are told to a tenth of a cent, in the shape of older documents."""
    lines = [till.item(taxes=(CITY, STATE)) for _ in range(2)]
    body = one(till.pay_cash(till.check(lines, has_exact_taxes=True)))
    body.is_old_shape = True
    return body


def tax_fixed(till: Till) -> Body:
    """A fee per line that is a tax of a fixed amount."""
    return one(till.pay_either(till.check([till.item(taxes=(BAG, STATE)), till.item(taxes=(BAG,))])))


def tax_exempt(till: Till) -> Body:
    """A guest who pays no tax."""
    return one(till.pay_card(till.check([till.taxed_item(), till.item()], is_tax_exempt=True)))


def marketplace(till: Till) -> Body:
    """A marketplace took the money and pays the tax itself."""
    check = till.check([till.item(taxes=(MARKETPLACE,)) for _ in range(3)])
    check.customer = till.random.randrange(PEOPLE)
    body = one(till.pay_other(check, "OTHER"), "API", "delivery")
    body.person = check.customer
    return body


def online(till: Till) -> Body:
    """Ordered and paid on the web; the card is captured at once."""
    check = till.pay_card(till.check(till.goods()), tip=True, is_captured=True)
    check.customer = till.random.randrange(PEOPLE)
    return one(check, "Online", "takeout")


def gratuity(till: Till) -> Body:
    """A gratuity charged automatically, and a tip."""
    check = till.check(till.goods(), charges=[till.charge("gratuity")])
    return one(till.pay_card(check, tip=True), dining="table")


def service_charges(till: Till) -> Body:
    """Charges that are no gratuity, taxed, one of them without a category."""
    charges = [till.charge("delivery"), till.charge("catering")]
    check = till.check([*till.goods(), till.taxed_item()], charges=charges)
    check.customer = till.random.randrange(PEOPLE)
    body = one(till.pay_card(check, tip=True), "Catering", "delivery")
    body.person = check.customer
    return body


def surcharge(till: Till) -> Body:
    """A surcharge for paying by card."""
    return one(till.surcharge_card(till.check([*till.goods(), till.taxed_item()])))


def fundraising(till: Till) -> Body:
    """The guest gives something to the food bank."""
    return one(till.pay_card(till.check(till.goods(), charges=[till.charge("fundraiser", 200)]), tip=True))


def cash_rounding(till: Till) -> Body:
    """Rounded to coins that there are."""
    lines = [till.taxed_item(), till.weighed_item(), till.item()]
    return one(till.round_cash(till.check(lines)))


def future_values(till: Till) -> Body:
    """Values that no document of today names: charge category, selection type, payment type, card."""
    check = till.check(
        [till.typed_line("BREAD_SUBSCRIPTION", "Weekly Loaf", 650), till.item()],
        charges=[till.charge("packaging")],
    )
    till.payment(check, "BREAD_POINTS", check.due_minor // 2)
    till.payment(check, "CREDIT", check.open_minor).card_type = "ELO"
    return one(till.close(check), "Bread Robot")


def weighed(till: Till) -> Body:
    """Goods by weight."""
    return one(till.pay_either(till.check([till.weighed_item(), till.item(), till.weighed_item()])))


def open_item(till: Till) -> Body:
    """A price typed in, and a wish that costs nothing."""
    wish = till.typed_line("SPECIAL_REQUEST", "Candle for Robin Example", 0)
    amount = till.random.randrange(100, 4_000)
    return one(till.pay_either(till.check([till.typed_line("OPEN_ITEM", "Open Item", amount), wish])))


def gift_card_sold(till: Till) -> Body:
    """A gift card sold with goods, and a discount that is not for it."""
    card = till.typed_line("TOAST_CARD_SELL", "Gift Card", 2_500, is_deferred=True)
    check = till.check([card, *till.goods(2)], discounts=[till.discount("voucher")])
    return one(till.pay_card(check))


def gift_card_alone(till: Till) -> Body:
    """A gift card reloaded and nothing else."""
    return one(till.pay_cash(till.check([till.typed_line("TOAST_CARD_RELOAD", "Gift Card", 5_000)])))


def gift_card_paid(till: Till) -> Body:
    """Paid by gift card, the rest in cash."""
    check = till.check(till.goods())
    till.payment(check, "GIFTCARD", check.due_minor // 2)
    return one(till.pay_cash(check))


def house_account_charged(till: Till) -> Body:
    """Put on a house account."""
    return one(till.pay_other(till.check(till.goods()), "HOUSE_ACCOUNT"))


def house_account_settled(till: Till) -> Body:
    """A house account's balance paid by cheque."""
    line = till.typed_line("HOUSE_ACCOUNT_PAY_BALANCE", "House Account", till.random.randrange(2_000, 9_000))
    return one(till.pay_other(till.check([line]), "OTHER"))


def deposit(till: Till) -> Body:
    """Money for a wedding cake to come, beside goods of today."""
    line = till.typed_line("OPEN_ITEM", "Cake Deposit", 7_500, is_deferred=True)
    return one(till.pay_card(till.check([line, till.item()])), "Catering")


def split_payments(till: Till) -> Body:
    """One check, cash and card, a tip on the card."""
    check = till.check(till.goods())
    till.payment(check, "CASH", check.due_minor // 2)
    return one(till.pay_card(check, tip=True))


def split_checks(till: Till) -> Body:
    """One order on three checks, one thing shared by two of them."""
    product = till.any_product(is_weighed=False)
    halves = [till.item(product, quantity=WHOLE // 2) for _ in range(2)]
    first = till.check([halves[0], till.taxed_item()])
    second = till.check([halves[1], *till.goods(2)], key="2", charges=[till.charge("gratuity")])
    third = till.check([till.item()], key="3")
    checks = [till.pay_cash(first), till.pay_card(second, tip=True), till.pay_card(third)]
    return Body(checks, dining="table")


def split_open(till: Till) -> Body:
    """Two checks, of which one is not paid yet."""
    checks = [till.pay_card(till.check(till.goods())), till.check(till.goods(), key="2")]
    return Body(checks, dining="table")


def underpaid(till: Till) -> Body:
    """Closed although a dollar is missing."""
    check = till.check([till.taxed_item(), till.item(quantity=2 * WHOLE)])
    till.payment(check, "CASH", check.due_minor - 100)
    return one(till.close(check))


def denied_first(till: Till) -> Body:
    """The first card was denied, the second cancelled, the third one worked."""
    check = till.check(till.goods())
    till.payment(check, "CREDIT", check.due_minor, 200, "DENIED")
    till.payment(check, "CREDIT", check.due_minor, 0, "CANCELLED")
    return one(till.pay_card(check, tip=True))


def prepaid_future(till: Till) -> Body:
    """Ordered for another day and paid already."""
    body = online(till)
    body.approval, body.promised_at = "FUTURE", till.order.opened_at + 2 * DAY + HOUR
    return body


def unpaid_future(till: Till) -> Body:
    """Ordered for another day, to be paid when it is fetched."""
    body = one(till.check(till.goods()), "API", "takeout")
    body.approval, body.promised_at = "FUTURE", till.order.opened_at + DAY + HOUR
    return body


def needs_approval(till: Till) -> Body:
    """Paid, but nobody has accepted it."""
    body = online(till)
    body.approval = "NEEDS_APPROVAL"
    return body


def not_approved(till: Till) -> Body:
    """Nobody accepted it."""
    body = one(till.check(till.goods()), "API", "takeout")
    body.approval = "NOT_APPROVED"
    return body


def old_shape(till: Till) -> Body:
    """A document without the words that were added over the years."""
    body = one(till.pay_card(till.check([till.taxed_item(), till.item()])))
    body.is_old_shape = True
    return body
