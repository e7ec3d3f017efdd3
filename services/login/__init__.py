"""The login service, Account Manager: accounts, logins that wait for a phone, sessions."""
