"""Parts that all pages of Account Manager share: context, forms, cookies, events, templates."""
