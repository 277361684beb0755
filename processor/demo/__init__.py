"""All it takes to see the service work without an account: a registry, stub vendors, a shop that clicks."""
