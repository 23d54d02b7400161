"""What an account can afford by its broker's rules: cash, margin and buying power."""

from pyrt.core.account_books import AccountBooks

class AccountPower(AccountBooks): ...
